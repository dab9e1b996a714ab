/** Assets: the inventory, with adding, editing, importing and bulk changes. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type Asset, may, RISK_ZONES, type RiskZone } from "../api/model";
import { assetsQuery, bulkAssets, deleteAsset, meQuery } from "../api/queries";
import { useActions } from "../app/actions";
import { toast } from "../app/toasts";
import { Button } from "../components/Button";
import { Confirm } from "../components/Confirm";
import { Ago, DemoMark, Score, SeverityCountsMark, Tags } from "../components/marks";
import { DataTable } from "../components/table/DataTable";
import { listQuery, useOpenRow, useTableState } from "../components/table/state";
import type { Column, Filter } from "../components/table/types";
import { count, NOTHING, type Selection } from "../lib/selection";
import type { SortKey } from "../lib/url-state";
import { t } from "../strings";
import { AssetDrawer } from "./assets/AssetDrawer";
import { AssetForm } from "./assets/AssetForm";
import { BulkForm } from "./assets/BulkForm";
import { ImportDialog } from "./assets/ImportDialog";

const FILTERS: readonly Filter[] = [
  {
    name: "target_type",
    label: t.assets.columns.type,
    options: ["domain", "ip", "cidr"].map((value) => ({ value, label: t.targetType[value] ?? value })),
    button: true,
  },
  {
    name: "risk_zone",
    label: t.assets.columns.zone,
    options: RISK_ZONES.map((value) => ({ value, label: t.riskZone[value] ?? value })),
    button: true,
  },
  { name: "tag", label: t.assets.columns.tag },
  { name: "stale", label: t.assets.stale, options: [{ value: "true", label: t.common.yes }] },
];
const KNOWN = FILTERS.map((filter) => filter.name);
const KEEP: string[] = [];
const SORT: SortKey = { id: "name", desc: false };

const COLUMNS: readonly Column<Asset>[] = [
  {
    id: "name",
    title: t.assets.columns.name,
    sort: "name",
    fixed: true,
    cell: (asset) => (
      <span className="titled">
        <span className="cell-title">{asset.name}</span>
        {asset.stale && <span className="tag">{t.assets.stale}</span>}
        <DemoMark on={asset.demo} />
      </span>
    ),
  },
  {
    id: "target",
    title: t.assets.columns.target,
    sort: "target_value",
    cell: (asset) => <span className="mono small">{asset.target_value}</span>,
  },
  {
    id: "type",
    wide: true,
    title: t.assets.columns.type,
    sort: "target_type",
    cell: (asset) => t.targetType[asset.kind] ?? asset.kind,
  },
  {
    id: "zone",
    wide: true,
    title: t.assets.columns.zone,
    sort: "risk_zone",
    cell: (asset) => t.riskZone[asset.risk_zone] ?? asset.risk_zone,
  },
  { id: "tags", wide: true, title: t.assets.columns.tags, cell: (asset) => <Tags values={asset.tags} /> },
  {
    id: "findings",
    title: t.assets.columns.findings,
    cell: (asset) => <SeverityCountsMark counts={asset.open_findings} />,
  },
  {
    id: "score",
    title: t.assets.columns.score,
    sort: "score",
    numeric: true,
    cell: (asset) => <Score value={asset.score} />,
  },
  {
    id: "seen",
    wide: true,
    title: t.assets.columns.seen,
    sort: "last_seen_at",
    descFirst: true,
    cell: (asset) => <Ago at={asset.last_seen_at} otherwise={t.common.never} />,
  },
];

const idOf = (asset: Asset) => asset.id;
const labelOf = (asset: Asset) => asset.name;
const BULK = 500;

export function Assets() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { do?: string; edit?: string };
  const me = useQuery(meQuery);
  const table = useTableState(KNOWN, KEEP);
  const [state, setState] = table;
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [asking, setAsking] = useState<"bulk" | "delete" | null>(null);
  const asked = listQuery(state, SORT);
  const assets = useQuery(assetsQuery(asked));
  const rows = assets.data?.data ?? [];
  const manage = may(me.data, "assets.manage");
  const { open, close, move } = useOpenRow(rows, table);

  const say = (what: string | undefined) =>
    void navigate({
      to: ".",
      search: ((old: Record<string, string>) => ({ ...old, do: what })) as never,
      resetScroll: false,
    } as never);
  const changed = () => {
    void client.invalidateQueries({ queryKey: ["assets"] });
    void client.invalidateQueries({ queryKey: ["summary"] });
  };

  const ids = async () => {
    if (selection.kind === "rows") return [...selection.ids];
    const all: string[] = [];
    for (let page = 1; all.length < selection.total; page++) {
      const list = await client.fetchQuery(assetsQuery({ ...asked, page, page_size: BULK }));
      all.push(...list.data.map(idOf));
      if (page >= list.total_pages) break;
    }
    return all.slice(0, selection.total);
  };

  const bulk = useMutation({
    mutationFn: async (change: { risk_zone?: RiskZone; add_tags?: string[]; remove_tags?: string[] }) => {
      const all = await ids();
      let updated = 0;
      for (let from = 0; from < all.length; from += BULK) {
        updated += (await bulkAssets({ asset_ids: all.slice(from, from + BULK), ...change })).updated;
      }
      return updated;
    },
    onSuccess: (updated) => {
      setAsking(null);
      setSelection(NOTHING);
      toast.ok(t.assets.bulkDone(updated));
      changed();
    },
  });

  const remove = useMutation({
    mutationFn: async () => {
      const all = await ids();
      for (const id of all) await deleteAsset(id);
      return all;
    },
    onSuccess: (all) => {
      toast.ok(t.assets.deleted(all.length));
      setSelection(NOTHING);
      if (state.open && all.includes(state.open)) setState({ open: null });
    },
    onError: toast.error,
    onSettled: () => {
      setAsking(null);
      changed();
    },
  });

  useActions(
    manage
      ? [
          {
            id: "tag",
            title: t.actions.tag,
            keys: ["t"],
            section: "table",
            run: () => count(selection) > 0 && setAsking("bulk"),
          },
        ]
      : [],
  );

  return (
    <div className={state.open ? "has-drawer" : undefined}>
      <div className="pagehead">
        <div>
          <h1>{t.assets.title}</h1>
          <p>{t.assets.text}</p>
        </div>
        {manage && (
          <div className="actions">
            <Button variant="default" onClick={() => say("import")}>
              {t.assets.import}
            </Button>
            <Button onClick={() => say("add")}>{t.assets.add}</Button>
          </div>
        )}
      </div>
      <DataTable
        name="assets"
        label={t.assets.title}
        columns={COLUMNS}
        filters={FILTERS}
        query={assets}
        state={state}
        onState={setState}
        defaultSort={SORT}
        id={idOf}
        rowLabel={labelOf}
        noun={[t.assets.one, t.assets.many]}
        onOpen={open}
        selection={manage ? selection : undefined}
        onSelection={manage ? setSelection : undefined}
        bulk={
          <>
            {selection.kind === "rows" && may(me.data, "scans.run") && (
              <Button
                variant="default"
                onClick={() =>
                  void navigate({
                    to: "/scans/new" as never,
                    search: { assets: [...selection.ids].join(",") } as never,
                  })
                }
              >
                {t.assets.scan}
              </Button>
            )}
            <Button variant="default" onClick={() => setAsking("bulk")}>
              {t.assets.bulkButton}
            </Button>
            <Button variant="default" onClick={() => setAsking("delete")}>
              {t.common.delete}
            </Button>
          </>
        }
        empty={{
          title: t.assets.empty,
          text: t.assets.emptyText,
          action: manage ? (
            <>
              <Button onClick={() => say("add")}>{t.assets.add}</Button>
              <Button variant="default" onClick={() => say("import")}>
                {t.assets.import}
              </Button>
            </>
          ) : undefined,
        }}
      />
      {state.open && (
        <AssetDrawer
          id={state.open}
          canManage={manage}
          canScan={may(me.data, "scans.run")}
          onClose={close}
          onMove={move}
        />
      )}
      {search.do === "add" && manage && (
        <AssetForm onClose={() => say(undefined)} canScan={may(me.data, "scans.run")} />
      )}
      {search.do === "import" && manage && <ImportDialog onClose={() => say(undefined)} />}
      {asking === "bulk" && (
        <BulkForm
          count={count(selection)}
          busy={bulk.isPending}
          error={bulk.error}
          onSubmit={(change) => bulk.mutate(change)}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === "delete" && (
        <Confirm
          title={t.assets.deleteTitle(count(selection))}
          text={t.assets.deleteText}
          yes={t.assets.deleteYes(count(selection))}
          no={t.common.cancel}
          busy={remove.isPending}
          onYes={() => remove.mutate()}
          onNo={() => setAsking(null)}
        />
      )}
    </div>
  );
}
