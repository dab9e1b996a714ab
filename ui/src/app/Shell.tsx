/** The frame of every page: navigation, search, running scans, theme, account. */
import { Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import {
  CircleHelp,
  FlaskConical,
  LayoutGrid,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  PanelLeft,
  Radar,
  Search,
  Server,
  Settings as SettingsIcon,
  Sun,
  TriangleAlert,
  UserRound,
  Wrench,
} from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { api } from "../api/client";
import { may } from "../api/model";
import { meQuery, queryClient, scansQuery, summaryQuery, systemQuery } from "../api/queries";
import { session } from "../api/session";
import { Brand } from "../components/Brand";
import { Link } from "../components/Link";
import { State } from "../components/states";
import { useStored } from "../lib/stored";
import { t } from "../strings";
import { keyLabels, useActions, useKeys } from "./actions";
import { usePageTitle, useProduct } from "./brand";
import { MENU } from "./menu";
import { OrganizationMenu } from "./OrganizationMenu";
import { PLACES, type Place, placeTitle, visible } from "./places";
import { type ThemeChoice, themeChoice, useScheme } from "./theme-choice";
import { adoptTheme, preferTheme } from "./theme-preference";

const Palette = lazy(() => import("./Palette").then((module) => ({ default: module.Palette })));
const Help = lazy(() => import("./Help").then((module) => ({ default: module.Help })));

interface Entry extends Place {
  icon: LucideIcon;
  key: string;
  id: string;
}

const PAGES: readonly Entry[] = [
  {
    to: "/",
    title: t.nav.overview,
    permissions: ["dashboard.view"],
    icon: LayoutGrid,
    key: "o",
    id: "goOverview",
    synonyms: ["dashboard", "score"],
  },
  {
    to: "/findings",
    title: t.nav.findings,
    permissions: ["findings.view"],
    icon: TriangleAlert,
    key: "f",
    id: "goFindings",
    synonyms: ["issues"],
  },
  {
    to: "/assets",
    title: t.nav.assets,
    permissions: ["assets.view"],
    icon: Server,
    key: "a",
    id: "goAssets",
    synonyms: ["inventory", "targets"],
  },
  {
    to: "/scans",
    title: t.nav.scans,
    permissions: ["scans.view", "schedules.view"],
    icon: Radar,
    key: "s",
    id: "goScans",
    synonyms: ["scan status", "scan history", "runs"],
  },
  {
    to: "/settings",
    title: t.nav.settings,
    icon: SettingsIcon,
    key: ",",
    id: "goSettings",
    synonyms: ["account", "theme"],
  },
];

export async function signOut(): Promise<void> {
  await api.POST("/api/auth/logout").catch(() => undefined);
  session.clear();
  queryClient.clear();
}

export function Shell() {
  const navigate = useNavigate();
  const location = useLocation();
  const [collapsed, setCollapsed] = useStored("bartizan.nav.collapsed", false);
  const [overlay, setOverlay] = useState<"palette" | "help" | null>(null);
  const me = useQuery(meQuery);
  const running = useQuery({
    ...scansQuery({ page: 1, page_size: 1, status: "pending,running" }),
    enabled: may(me.data, "scans.view"),
    refetchInterval: 10_000,
  });
  const summary = useQuery({ ...summaryQuery, enabled: may(me.data, "dashboard.view"), staleTime: 60_000 });
  const system = useQuery({
    ...systemQuery,
    enabled: may(me.data, "system.view"),
    staleTime: 60_000,
    refetchInterval: 60_000,
  });
  const signedIn = useSyncExternalStore(session.subscribe, session.exists);
  const main = useRef<HTMLElement>(null);

  useKeys();

  useEffect(() => {
    if (me.data) adoptTheme(me.data);
  }, [me.data]);

  // The session ended (refused refresh, sign-out in another tab): back to the door, and then here again.
  const leaving = useRef(false);
  useEffect(() => {
    // Once: the address changes on the way out, and must not be taken for the page one was on.
    if (signedIn || leaving.current) return;
    leaving.current = true;
    queryClient.clear();
    void navigate({ to: "/login" as never, search: { next: location.pathname + location.searchStr } as never });
  }, [signedIn, navigate, location.pathname, location.searchStr]);

  const path = location.pathname;
  const product = useProduct();
  const page = PAGES.find((entry) => (entry.to === "/" ? path === "/" : path.startsWith(entry.to)));
  // Until it is known who one is, the frame stands as it stands for nearly everybody.
  const pages = PAGES.filter((entry) => !me.data || visible(me.data, entry));
  const forbidden = page !== undefined && !pages.includes(page);
  // Signing in leads to the overview; who may not see it begins at the first page there is.
  const start = forbidden && path === "/" ? pages[0]?.to : undefined;
  useEffect(() => {
    if (start) void navigate({ to: start as never, replace: true });
  }, [start, navigate]);
  usePageTitle(placeTitle(path) ?? page?.title);
  // A new page: the focus at its start for keyboards and screen readers.
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address is another page
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);

  const go = (to: string) => void navigate({ to: to as never, search: {} as never });
  const scheme = useScheme();
  useActions([
    { id: "palette", title: t.actions.palette, keys: ["mod+k"], section: "global", run: () => setOverlay("palette") },
    {
      id: "help",
      title: t.actions.help,
      keys: ["?"],
      section: "global",
      palette: "act",
      run: () => setOverlay("help"),
    },
    ...pages.map((page) => ({
      id: page.id,
      title: t.actions[page.id as keyof typeof t.actions],
      keys: [`g ${page.key}`],
      section: "global" as const,
      palette: "go" as const,
      synonyms: [...(page.synonyms ?? [])],
      run: () => go(page.to),
    })),
    ...PLACES.filter((place) => visible(me.data, place)).map((place) => ({
      id: `go ${place.to}`,
      title: t.nav.goTo(place.title),
      section: "global" as const,
      palette: "go" as const,
      synonyms: [...(place.synonyms ?? [])],
      run: () => go(place.to),
    })),
    ...(may(me.data, "scans.run")
      ? [
          {
            id: "newScan",
            title: t.actions.newScan,
            keys: ["n"],
            section: "global" as const,
            palette: "act" as const,
            synonyms: ["run scan", "start scan"],
            run: () => go("/scans/new"),
          },
        ]
      : []),
    ...(may(me.data, "assets.manage")
      ? [
          {
            id: "addAsset",
            title: t.actions.addAsset,
            section: "global" as const,
            palette: "act" as const,
            run: () => void navigate({ to: "/assets" as never, search: { do: "add" } as never }),
          },
          {
            id: "importAssets",
            title: t.actions.importAssets,
            section: "global" as const,
            palette: "act" as const,
            run: () => void navigate({ to: "/assets" as never, search: { do: "import" } as never }),
          },
        ]
      : []),
    {
      id: "toggleTheme",
      title: t.actions.toggleTheme,
      section: "global",
      palette: "act",
      synonyms: ["dark mode"],
      run: () => preferTheme(scheme === "dark" ? "light" : "dark"),
    },
    { id: "signOut", title: t.actions.signOut, section: "global", palette: "act", run: () => void signOut() },
  ]);

  const count = running.data?.total ?? 0;
  return (
    <div className="shell" data-collapsed={collapsed}>
      <a className="skip" href="#main">
        {t.nav.skip}
      </a>
      <nav className="side" aria-label={t.nav.label}>
        <Link to="/" className="brand" label={product}>
          <Brand folds />
        </Link>
        <div className="navlist">
          <ul>
            {pages.map((page) => (
              <li key={page.to}>
                <Link
                  to={page.to}
                  className="navlink"
                  label={collapsed ? page.title : undefined}
                  current={page.to === "/" ? path === "/" : path.startsWith(page.to)}
                >
                  <page.icon aria-hidden />
                  <span className="label">{page.title}</span>
                  {page.to === "/scans" && count > 0 && (
                    <span className="count" title={t.nav.running(count)}>
                      ▸ {count}
                    </span>
                  )}
                </Link>
              </li>
            ))}
          </ul>
        </div>
        <div className="navfoot">
          <button
            type="button"
            className="iconbtn"
            aria-label={collapsed ? t.nav.expand : t.nav.collapse}
            aria-pressed={collapsed}
            onClick={() => setCollapsed(!collapsed)}
          >
            <PanelLeft aria-hidden />
          </button>
        </div>
      </nav>
      <div
        style={{
          gridRow: "1 / -1",
          gridColumn: 2,
          display: "grid",
          gridTemplateRows: "var(--topbar)",
          gridTemplateColumns: "minmax(0, 1fr)",
          alignContent: "start",
          minWidth: 0,
        }}
      >
        <header className="top">
          <button type="button" className="searchbox" onClick={() => setOverlay("palette")}>
            <Search aria-hidden />
            <span>{t.nav.search}</span>
            <kbd>{keyLabels("mod+k").join(" ")}</kbd>
          </button>
          <span className="grow" />
          {count > 0 && (
            <Link to="/scans" search={{ status: "running,pending" }} className="st st-running">
              <i aria-hidden>▸</i>
              <span className="short" aria-hidden>
                {count}
              </span>
              <span className="long">{t.nav.running(count)}</span>
            </Link>
          )}
          <button
            type="button"
            className="iconbtn"
            aria-label={t.nav.help}
            title={t.nav.help}
            onClick={() => setOverlay("help")}
          >
            <CircleHelp aria-hidden />
          </button>
          <ThemeMenu />
          <OrganizationMenu onEntered={() => go("/")} />
          <Menu {...MENU}>
            <Menu.Target>
              <button type="button" className="iconbtn" aria-label={t.nav.accountOf(me.data?.username ?? "")}>
                <UserRound aria-hidden />
                <span className="username">{me.data?.username}</span>
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<UserRound aria-hidden />} onClick={() => go("/settings/account")}>
                {t.nav.account}
              </Menu.Item>
              <Menu.Item leftSection={<SettingsIcon aria-hidden />} onClick={() => go("/settings")}>
                {t.nav.settings}
              </Menu.Item>
              <Menu.Item component="a" href="/api/docs" leftSection={<FlaskConical aria-hidden />}>
                {t.nav.apiDocs}
              </Menu.Item>
              <Menu.Item leftSection={<LogOut aria-hidden />} onClick={() => void signOut()}>
                {t.nav.signOut}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </header>
        {system.data?.maintenance.enabled && (
          <aside className="demobar" aria-label={t.system.maintenance.title}>
            <Wrench aria-hidden />
            <span role="status">{t.system.maintenance.bar(system.data.maintenance.reason)}</span>
          </aside>
        )}
        {summary.data?.demo || system.data?.demo ? (
          <aside className="demobar" aria-label={t.settings.demo}>
            <span className="demomark">{t.demo.mark}</span>
            {summary.data?.demo ? t.demo.bar : t.demo.beside}
          </aside>
        ) : null}
        <main className="main" id="main" ref={main} tabIndex={-1}>
          {forbidden ? (
            <>
              <h1 className="sr">{page.title}</h1>
              <State title={t.settings.forbidden} text={t.settings.forbiddenText} />
            </>
          ) : (
            <Outlet />
          )}
        </main>
      </div>
      <Suspense>
        {overlay === "palette" && <Palette onClose={() => setOverlay(null)} />}
        {overlay === "help" && <Help onClose={() => setOverlay(null)} />}
      </Suspense>
    </div>
  );
}

const THEMES: { choice: ThemeChoice; label: string; icon: LucideIcon }[] = [
  { choice: "system", label: t.nav.themeSystem, icon: Monitor },
  { choice: "light", label: t.nav.themeLight, icon: Sun },
  { choice: "dark", label: t.nav.themeDark, icon: Moon },
];

function ThemeMenu() {
  const scheme = useScheme();
  const choice = themeChoice();
  const Icon = scheme === "dark" ? Moon : Sun;
  return (
    <Menu {...MENU}>
      <Menu.Target>
        <button type="button" className="iconbtn" aria-label={t.nav.theme} title={t.nav.theme}>
          <Icon aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={choice} onChange={(chosen) => preferTheme(chosen as ThemeChoice)}>
          {THEMES.map((entry) => (
            <Menu.RadioItem key={entry.choice} value={entry.choice} closeMenuOnClick>
              <span className="withicon">
                <entry.icon aria-hidden />
                {entry.label}
              </span>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
