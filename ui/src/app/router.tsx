/** Addresses. Every page is loaded when it is first visited; search parameters are plain strings. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { providersQuery, queryClient } from "../api/queries";
import { session } from "../api/session";
import { SkeletonLines } from "../components/states";
import type { Search } from "../lib/url-state";
import { Crashed, NotFound } from "../pages/Missing";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("../pages/Setup"), "Setup"),
});

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyRouteComponent(() => import("../pages/Login"), "Login"),
});

const loginOidc = createRoute({
  getParentRoute: () => root,
  path: "/login/oidc",
  component: lazyRouteComponent(() => import("../pages/LoginOidc"), "LoginOidc"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("../pages/Invitation"), "Invitation"),
});

const forgot = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("../pages/ForgotPassword"), "ForgotPassword"),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("../pages/ResetPassword"), "ResetPassword"),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ location }) => {
    if (session.exists()) return;
    const providers = await queryClient.ensureQueryData(providersQuery).catch(() => null);
    if (providers?.setup_required) throw redirect({ to: "/setup" });
    throw redirect({ to: "/login", search: { next: location.pathname + location.searchStr } as never });
  },
});

const page = <P extends string>(path: P, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({
    getParentRoute: () => shell,
    path,
    component: lazyRouteComponent(load as never, name as never),
  });

const tree = root.addChildren([
  setup,
  login,
  loginOidc,
  invitation,
  forgot,
  reset,
  shell.addChildren([
    page("/", () => import("../pages/Overview"), "Overview"),
    page("/findings", () => import("../pages/Findings"), "Findings"),
    page("/findings/$findingId", () => import("../pages/FindingPage"), "FindingPage"),
    page("/assets", () => import("../pages/Assets"), "Assets"),
    page("/scans", () => import("../pages/Scans"), "Scans"),
    page("/scans/new", () => import("../pages/NewScan"), "NewScan"),
    page("/scans/schedules", () => import("../pages/Schedules"), "Schedules"),
    page("/scans/$scanId", () => import("../pages/ScanDetail"), "ScanDetail"),
    page("/settings", () => import("../pages/settings/General"), "General"),
    page("/settings/account", () => import("../pages/settings/Account"), "Account"),
    page("/settings/team", () => import("../pages/settings/Team"), "Team"),
    page("/settings/api-keys", () => import("../pages/settings/MemberKeys"), "MemberKeys"),
    page("/settings/roles", () => import("../pages/settings/Roles"), "Roles"),
    page("/settings/sign-in", () => import("../pages/settings/SignIn"), "SignIn"),
    page("/settings/mail", () => import("../pages/settings/Mail"), "Mail"),
    page("/settings/branding", () => import("../pages/settings/Branding"), "Branding"),
    page("/settings/system", () => import("../pages/settings/System"), "System"),
    page("/settings/audit", () => import("../pages/settings/Audit"), "Audit"),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  basepath: "/ui",
  defaultPreload: "intent",
  defaultPendingComponent: SkeletonLines,
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)) as Search,
  stringifySearch: (search) => {
    const parts = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== "");
    const text = new URLSearchParams(parts.map(([name, value]) => [name, String(value)])).toString();
    // Commas, slashes and colons are legal in a query and read better.
    return text ? `?${text.replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":")}` : "";
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
