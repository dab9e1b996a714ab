/** People, roles, organisations and the server itself, as far as their pages change them. */
import type { components } from "../../src/api/schema";
import { GROUPS } from "../../src/lib/permissions";
import { before } from "./data";

type Schemas = components["schemas"];

export const ALL = GROUPS.flatMap((group) => group.permissions);
const reading = ALL.filter((permission) => permission.endsWith(".view") && permission !== "audit.view");
const auditing = [...reading, "scans.run", "scans.cancel", "exports.run", "audit.view"];
const HOME = { id: "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", name: "Example Ltd" };

const role = (name: string, description: string, permissions: string[], members: number): Schemas["RoleDetail"] => ({
  name,
  description,
  permissions,
  members,
  builtin: true,
  created_at: null,
  updated_at: null,
});

/** A list that fits one page, as the server answers it. */
export const paged = <T>(data: T[]) => ({
  data,
  total: data.length,
  page: 1,
  page_size: 500,
  total_pages: Math.min(1, data.length),
});

export interface Answer {
  status: number;
  value?: unknown;
  etag?: string;
}

export class Platform {
  here = HOME;
  private maintenance: Schemas["Maintenance"] = { enabled: false, reason: null, since: null, by: null };
  private organizations: Schemas["OwnOrganization"][] = [
    { ...HOME, current: true, role: "admin" },
    { id: "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c56", name: "Subsidiary GmbH", current: false, role: "analyst" },
  ];
  private roles: Schemas["RoleDetail"][] = [
    role("admin", "Everything, members and settings included.", ALL, 1),
    role(
      "analyst",
      "Triages findings, keeps assets, and all an auditor may.",
      [...auditing, "assets.manage", "findings.triage"],
      3,
    ),
    role("auditor", "Runs scans, reads everything, generates reports, reads the audit log.", auditing, 0),
    role("read_only", "Reads.", reading, 2),
    {
      ...role("scan_operator", "Starts scans", ["assets.view", "scans.run", "scans.view"], 0),
      builtin: false,
      created_at: before(9000),
      updated_at: before(900),
    },
  ];

  user() {
    const own = this.organizations.find((organization) => organization.current);
    return {
      id: "550e8400-e29b-41d4-a716-446655440000",
      username: "admin",
      email: "admin@example.com",
      role: own?.role ?? "admin",
      organization: { ...this.here, first: this.here.id === HOME.id },
      permissions: this.roles.find((entry) => entry.name === own?.role)?.permissions ?? ALL,
      theme_preference: "system",
      auth_provider: "internal",
    };
  }

  status() {
    return { maintenance: this.maintenance, redis: "not_configured" };
  }

  /** Null for what is not acted out here. */
  answer(route: string, body: Record<string, never>): Answer | null {
    const [method, path = ""] = route.split(" ");
    const name = path.split("/")[3] ?? "";
    switch (`${method} ${path.replace(/\/roles\/[^/]+/, "/roles/:name")}`) {
      case "GET /api/roles":
        return { status: 200, value: paged(this.roles) };
      case "POST /api/roles": {
        const input = body as unknown as Schemas["RoleCreate"];
        if (this.roles.some((entry) => entry.name === input.name)) {
          const detail = `There is a role ${input.name} already`;
          return { status: 409, value: { detail, errors: [], status: 409, title: "Conflict", type: "about:blank" } };
        }
        const made = { ...role(input.name, input.description ?? "", input.permissions, 0), builtin: false };
        this.roles.push(made);
        return { status: 201, value: made };
      }
      case "PATCH /api/roles/:name":
        return { status: 200, value: Object.assign(this.roles.find((entry) => entry.name === name) ?? {}, body) };
      case "DELETE /api/roles/:name":
        this.roles = this.roles.filter((entry) => entry.name !== name);
        return { status: 204 };
      case "GET /api/organizations":
        return { status: 200, value: paged(this.organizations) };
      case "POST /api/organizations": {
        const made = { id: crypto.randomUUID(), name: String(body.name) };
        this.organizations.push({ ...made, current: false, role: "admin" });
        return { status: 201, value: { ...made, created_at: new Date().toISOString() } };
      }
      case "POST /api/auth/switch": {
        for (const entry of this.organizations) entry.current = entry.id === body.organization_id;
        const entry = this.organizations.find((organization) => organization.current);
        if (entry) this.here = { id: entry.id, name: entry.name };
        const token = { access_token: `a${Date.now()}`, token_type: "bearer", expires_in: 1800 };
        return { status: 200, value: { ...token, user: this.user() } };
      }
      case "PATCH /api/system/maintenance": {
        const { enabled, reason } = body as unknown as Schemas["MaintenanceUpdate"];
        const since = enabled ? new Date().toISOString() : null;
        this.maintenance = { enabled, reason: enabled ? (reason ?? null) : null, since, by: enabled ? "admin" : null };
        return { status: 200, value: this.maintenance };
      }
      case "GET /api/branding":
        return {
          status: 200,
          etag: '"1"',
          value: {
            product_name: null,
            company_name: null,
            footer_text: null,
            accent_color: null,
            accent_color_dark: null,
            logo_light: null,
            logo_dark: null,
            favicon: null,
          },
        };
      default:
        return null;
    }
  }
}
