/** One finding on a page of its own: what a link in a ticket or a middle click opens. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ChevronLeft } from "lucide-react";
import { may } from "../api/model";
import { findingQuery, meQuery } from "../api/queries";
import { CopyButton } from "../components/Copy";
import { Link } from "../components/Link";
import { ErrorState, SkeletonLines } from "../components/states";
import { t } from "../strings";
import { useChangeFinding } from "./findings/FindingDrawer";
import { FindingBody, Marks, toMarkdown } from "./findings/parts";
import { StatusForm } from "./findings/StatusForm";

export function FindingPage() {
  const { findingId } = useParams({ strict: false }) as { findingId: string };
  const me = useQuery(meQuery);
  const query = useQuery(findingQuery(findingId));
  const finding = query.data;
  const change = useChangeFinding(finding);
  if (query.isError) {
    return (
      <ErrorState error={query.error} retry={() => void query.refetch()} title={t.notFound.missing(t.findings.one)} />
    );
  }
  if (!finding) return <SkeletonLines lines={10} />;
  const link = `${location.origin}/ui/findings/${finding.id}`;
  return (
    <div style={{ maxWidth: 1080 }}>
      <Link to="/findings" className="iconbtn">
        <ChevronLeft aria-hidden /> {t.findings.title}
      </Link>
      <div className="pagehead" style={{ marginTop: 8 }}>
        <div>
          <Marks finding={finding} />
          <h1 style={{ marginTop: 6 }}>{finding.title}</h1>
        </div>
        <div className="actions">
          <CopyButton text={link} label={t.findings.copyLink} />
          <CopyButton text={toMarkdown(finding, link)} label={t.findings.copyMarkdown} />
        </div>
      </div>
      <div className="cols">
        <div className="panel span-8 findingbody">
          <FindingBody finding={finding} heading="h2" />
        </div>
        {may(me.data, "findings.triage") && (
          <section className="panel span-4" style={{ alignSelf: "start" }} aria-labelledby="change">
            <header>
              <h2 id="change">{t.findings.changeStatus}</h2>
            </header>
            <div className="body">
              <StatusForm
                key={finding.status}
                draftKey={finding.id}
                current={finding.status}
                currentNote={finding.status_note}
                submit={t.findings.apply}
                busy={change.isPending}
                error={change.error}
                onSubmit={(body) => change.mutate(body)}
              />
            </div>
          </section>
        )}
      </div>
    </div>
  );
}
