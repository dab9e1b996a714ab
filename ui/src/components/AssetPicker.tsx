import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useId, useState } from "react";
import type { Asset } from "../api/model";
import { assetsQuery } from "../api/queries";
import { t } from "../strings";
import { Button } from "./Button";
import { Link } from "./Link";
import { DemoMark } from "./marks";

/** Finds assets by typing; the server searches, at most twelve are shown. */
export function AssetPicker({
  chosen,
  ids,
  onChange,
  onAdd,
}: {
  chosen: readonly Asset[];
  ids: readonly string[];
  onChange: (ids: string[]) => void;
  /** Adds an asset without leaving the form; without it, a link to where assets are added. */
  onAdd?: () => void;
}) {
  const [text, setText] = useState("");
  const hint = useId();
  const found = useQuery(
    assetsQuery({ page: 1, page_size: 12, sort: "name", ...(text.trim() ? { search: text.trim() } : {}) }),
  );
  const total = found.data?.total ?? 0;
  const none = found.data !== undefined && !found.isPlaceholderData && total === 0 && text.trim() === "";
  return (
    <fieldset>
      <legend>{t.newScan.assets}</legend>
      {ids.length > 0 && (
        <div className="chips">
          {chosen.map((asset) => (
            <span key={asset.id} className="chip">
              {asset.name}
              <button
                type="button"
                aria-label={t.table.remove(t.newScan.assets, asset.name)}
                onClick={() => onChange(ids.filter((id) => id !== asset.id))}
              >
                <X aria-hidden />
              </button>
            </span>
          ))}
        </div>
      )}
      <TextInput
        aria-label={t.newScan.assetsHint}
        placeholder={t.newScan.assetsHint}
        value={text}
        autoComplete="off"
        spellCheck={false}
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="picklist" aria-describedby={hint}>
        {(found.data?.data ?? []).map((asset) => (
          <label key={asset.id}>
            <input
              type="checkbox"
              checked={ids.includes(asset.id)}
              onChange={(event) =>
                onChange(event.target.checked ? [...ids, asset.id] : ids.filter((id) => id !== asset.id))
              }
            />
            <span className="clip">{asset.name}</span>
            <span className="mono small muted clip">{asset.name === asset.target_value ? "" : asset.target_value}</span>
            <DemoMark on={asset.demo} />
          </label>
        ))}
      </div>
      <p id={hint} className="small muted" role="status">
        {none
          ? t.newScan.noAssetsYet
          : found.data && (total === 0 ? t.newScan.noAssets : t.newScan.assetsShown(found.data.data.length, total))}
      </p>
      {none &&
        (onAdd ? (
          <Button variant="default" size="xs" onClick={onAdd}>
            {t.newScan.addAsset}
          </Button>
        ) : (
          <Link to="/assets" search={{ do: "add" }}>
            {t.newScan.addAsset}
          </Link>
        ))}
    </fieldset>
  );
}
