/** The frame of pages that are tabs of one section, and what stands there for who may not see the page. */
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { meQuery } from "../api/queries";
import { type Place, visible } from "../app/places";
import { t } from "../strings";
import { Link } from "./Link";
import { SkeletonLines, State } from "./states";

export function Section({
  title,
  label,
  places,
  actions,
  children,
}: {
  title: string;
  /** Read out as the name of the tabs. */
  label: string;
  places: readonly Place[];
  actions?: ReactNode;
  children: ReactNode;
}) {
  const me = useQuery(meQuery);
  const path = useLocation().pathname.replace(/(.)\/$/, "$1");
  const here = places.find((place) => place.to === path);
  // Where the tabs scroll, the one that is open is in sight.
  const tabs = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is another tab
  useEffect(() => {
    tabs.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [path, me.data]);
  const allowed = here ? visible(me.data, here) : true;
  return (
    <>
      <div className="pagehead" style={{ marginBottom: 8 }}>
        <div>
          <h1>{title}</h1>
        </div>
        {allowed && actions}
      </div>
      <nav ref={tabs} className="tabs" aria-label={label}>
        {places
          .filter((place) => visible(me.data, place))
          .map((place) => (
            <Link key={place.to} to={place.to} current={place.to === path}>
              {place.title}
            </Link>
          ))}
      </nav>
      {!me.data && here?.permissions ? (
        <SkeletonLines />
      ) : allowed ? (
        children
      ) : (
        <State title={t.settings.forbidden} text={t.settings.forbiddenText} />
      )}
    </>
  );
}
