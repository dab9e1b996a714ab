/** Words around evidence, and names of facts that are not just their key with spaces. */
import { n, plural } from "./words";

export const evidence = {
  evidence: {
    unknown: "not known",
    copyJson: "Copy as JSON",
    all: (count: number) => `Show all ${n(count)}`,
    rest: (count: number) => `Show the other ${plural(count, "character", "characters")}`,
    /** Whole keys. */
    names: {
      content_security_policy: "Content-Security-Policy",
      x_frame_options: "X-Frame-Options",
      sha256: "SHA-256",
      dav: "WebDAV",
      missing_issuer: "Issuer that is missing",
      meta_policies: "Policies in <meta>",
      https_port_tried: "HTTPS port tried",
      which: "Which certificate",
      where: "Where",
      "": "Value",
    } as Record<string, string>,
    /** Single words of a key. */
    words: {
      axfr: "AXFR",
      cname: "CNAME",
      dkim: "DKIM",
      dmarc: "DMARC",
      dns: "DNS",
      dnssec: "DNSSEC",
      html: "HTML",
      http: "HTTP",
      https: "HTTPS",
      id: "ID",
      ip: "IP",
      mx: "MX",
      ns: "NS",
      ocsp: "OCSP",
      rdap: "RDAP",
      spf: "SPF",
      ssh: "SSH",
      tcp: "TCP",
      tls: "TLS",
      ttl: "TTL",
      udp: "UDP",
      url: "URL",
      urls: "URLs",
    } as Record<string, string>,
  },
};
