/** What the pages read and change, each with its cache key. Reads pass the signal on, so leaving a page aborts them. */
import { keepPreviousData, MutationCache, QueryClient, queryOptions } from "@tanstack/react-query";
import type { ListQuery } from "../components/table/state";
import { api, authorizedFetch, data } from "./client";
import { ApiError, toApiError } from "./errors";
import type { Answer, Branding, List, Profile, VerdictRecord } from "./model";
import type { components } from "./schema";

type Schemas = components["schemas"];

/**
 * A table's query for one endpoint: columns and filters are strings there, and enums here. A name the endpoint does
 * not know is answered with 422 and its name, which the browser tests would show.
 */
const asked = (query: ListQuery) => query as never;

export const done = async (call: Promise<unknown>): Promise<void> => {
  await call;
};

/** Every item of a list that a page shows whole, read page by page. */
async function whole<T>(read: (page: { page: number; page_size: number }) => Promise<List<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const answer = await read({ page, page_size: 500 });
    all.push(...answer.data);
    pages = answer.total_pages;
  }
  return all;
}

export const queryClient = new QueryClient({
  mutationCache: new MutationCache({
    // A write refused for maintenance: the bar that says so is up to date at once.
    onError: (error) => {
      if (error instanceof ApiError && error.kind === "maintenance") {
        void queryClient.invalidateQueries({ queryKey: systemQuery.queryKey });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server refused stays refused; what did not reach it is tried twice more.
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
      refetchOnWindowFocus: true,
    },
  },
});

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: ({ signal }) => data(api.GET("/api/auth/providers", { signal })),
  staleTime: 60_000,
});

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => data(api.GET("/api/auth/me", { signal })),
  staleTime: 300_000,
});

// Assets

export const assetsQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ["assets", "list", query],
    queryFn: ({ signal }) => data(api.GET("/api/assets", { params: { query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

export const assetQuery = (id: string) =>
  queryOptions({
    queryKey: ["assets", "one", id],
    queryFn: ({ signal }) => data(api.GET("/api/assets/{asset_id}", { params: { path: { asset_id: id } }, signal })),
  });

export const tagsQuery = (search: string) =>
  queryOptions({
    queryKey: ["assets", "tags", search],
    queryFn: ({ signal }) => data(api.GET("/api/assets/tags", { params: { query: search ? { search } : {} }, signal })),
    select: (answer) => answer.data,
    staleTime: 30_000,
  });

export type AssetInput = Schemas["AssetCreate"];

export const createAsset = (body: AssetInput) =>
  data(api.POST("/api/assets", { body, headers: { "Idempotency-Key": newKey() } }));

export const updateAsset = (id: string, body: Schemas["AssetUpdate"]) =>
  data(api.PATCH("/api/assets/{asset_id}", { params: { path: { asset_id: id } }, body }));

export const deleteAsset = (id: string) =>
  done(api.DELETE("/api/assets/{asset_id}", { params: { path: { asset_id: id } } }));

export type AssetBulk = Schemas["AssetBulkUpdate"];

export const bulkAssets = (body: AssetBulk) => data(api.PATCH("/api/assets/bulk", { body }));

/** Sends the CSV; rows that break a rule are left out and named in the answer. */
export function importAssets(file: Blob) {
  const form = new FormData();
  form.append("file", file, "assets.csv");
  return data(
    api.POST("/api/assets/import", {
      body: form as never,
      bodySerializer: (body: unknown) => body as FormData,
      headers: { "Idempotency-Key": newKey() },
    }),
  );
}

// Scans

export const scansQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ["scans", "list", query],
    queryFn: ({ signal }) => data(api.GET("/api/scans", { params: { query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

export const scanQuery = (id: number) =>
  queryOptions({
    queryKey: ["scans", "one", id],
    queryFn: ({ signal }) => data(api.GET("/api/scans/{scan_id}", { params: { path: { scan_id: id } }, signal })),
  });

export const progressQuery = (id: number) =>
  queryOptions({
    queryKey: ["scans", "progress", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/scans/{scan_id}/progress", { params: { path: { scan_id: id } }, signal })),
  });

export const resultsQuery = (id: number, query: ListQuery) =>
  queryOptions({
    queryKey: ["scans", "results", id, query],
    queryFn: ({ signal }) =>
      data(api.GET("/api/scans/{scan_id}/results", { params: { path: { scan_id: id }, query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

/** The verdicts of a whole scan, from its native document. */
export const verdictsQuery = (id: number) =>
  queryOptions({
    queryKey: ["scans", "verdicts", id],
    queryFn: async ({ signal }) => {
      const request = new Request(new URL(`/api/scans/${id}/download?format=json`, location.origin), { signal });
      const response = await authorizedFetch(request);
      if (!response.ok) throw toApiError(response, await response.json().catch(() => null));
      return ((await response.json()) as { verdicts: VerdictRecord[] }).verdicts;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

export type ScanInput = Schemas["ScanCreate"] & {
  asset_ids: string[];
  targets: string[];
  scan_type: Profile;
  features: Required<Schemas["FeatureToggles"]>;
  concurrency: number;
  timeout_seconds: number;
};

export const launchScan = (body: ScanInput, key: string) =>
  data(api.POST("/api/scans", { body, headers: { "Idempotency-Key": key } }));

export const cancelScan = (id: number) =>
  data(api.POST("/api/scans/{scan_id}/cancel", { params: { path: { scan_id: id } } }));

export const deleteScan = (id: number) =>
  done(api.DELETE("/api/scans/{scan_id}", { params: { path: { scan_id: id } } }));

export const profilesQuery = queryOptions({
  queryKey: ["profiles"],
  queryFn: ({ signal }) => whole((query) => data(api.GET("/api/profiles", { params: { query }, signal }))),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Every check a profile may run, read page by page. */
export const checksQuery = (profile: Profile) =>
  queryOptions({
    queryKey: ["checks", profile],
    queryFn: ({ signal }) =>
      whole((page) => data(api.GET("/api/checks", { params: { query: { ...page, profile, sort: "id" } }, signal }))),
    staleTime: Number.POSITIVE_INFINITY,
  });

// Schedules

export const schedulesQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ["schedules", "list", query],
    queryFn: ({ signal }) => data(api.GET("/api/schedules", { params: { query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

export const scheduleQuery = (id: string) =>
  queryOptions({
    queryKey: ["schedules", "one", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/schedules/{schedule_id}", { params: { path: { schedule_id: id } }, signal })),
  });

export const scheduleRunsQuery = (id: string, page: number) =>
  queryOptions({
    queryKey: ["schedules", "runs", id, page],
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/schedules/{schedule_id}/runs", {
          params: { path: { schedule_id: id }, query: { page, page_size: 10 } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const cronPreviewQuery = (query: { cron: string; time_zone: string; day_rule: "or" | "and" }) =>
  queryOptions({
    queryKey: ["schedules", "preview", query],
    queryFn: ({ signal }) =>
      data(api.GET("/api/schedules/preview", { params: { query: { ...query, count: 5 } }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const createSchedule = (body: Schemas["ScheduleCreate"], key: string) =>
  data(api.POST("/api/schedules", { body, headers: { "Idempotency-Key": key } }));

export const updateSchedule = (id: string, body: Schemas["ScheduleUpdate"]) =>
  data(api.PATCH("/api/schedules/{schedule_id}", { params: { path: { schedule_id: id } }, body }));

export const deleteSchedule = (id: string) =>
  done(api.DELETE("/api/schedules/{schedule_id}", { params: { path: { schedule_id: id } } }));

export const runSchedule = (id: string) =>
  data(
    api.POST("/api/schedules/{schedule_id}/run", {
      params: { path: { schedule_id: id } },
      headers: { "Idempotency-Key": newKey() },
    }),
  );

// Findings

export const findingsQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ["findings", "list", query],
    queryFn: ({ signal }) => data(api.GET("/api/findings", { params: { query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

export const findingQuery = (id: string) =>
  queryOptions({
    queryKey: ["findings", "one", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/findings/{finding_id}", { params: { path: { finding_id: id } }, signal })),
  });

export const historyQuery = (id: string) =>
  queryOptions({
    queryKey: ["findings", "history", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/findings/{finding_id}/history", { params: { path: { finding_id: id } }, signal })),
  });

export type StatusChange = Schemas["FindingUpdate"];

export const changeFinding = (id: string, body: StatusChange) =>
  data(api.PATCH("/api/findings/{finding_id}", { params: { path: { finding_id: id } }, body }));

export const changeFindings = (body: StatusChange & { finding_ids: string[] }) =>
  data(api.POST("/api/findings/bulk", { body }));

// People

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }) => whole((query) => data(api.GET("/api/roles", { params: { query }, signal }))),
});

export type Role = Answer<Schemas["RoleDetail"]>;

export const createRole = (body: Schemas["RoleCreate"]) =>
  data(api.POST("/api/roles", { body, headers: { "Idempotency-Key": newKey() } }));

export const updateRole = (name: string, body: Schemas["RoleUpdate"]) =>
  data(api.PATCH("/api/roles/{role}", { params: { path: { role: name } }, body }));

export const deleteRole = (name: string) => done(api.DELETE("/api/roles/{role}", { params: { path: { role: name } } }));

export const invitationsQuery = queryOptions({
  queryKey: ["invitations"],
  queryFn: ({ signal }) => whole((query) => data(api.GET("/api/invitations", { params: { query }, signal }))),
});

export const invite = (body: { email: string; role: string }) => data(api.POST("/api/invitations", { body }));

/** A new link in the place of the old one: mailed, or answered where it is not to be mailed or no mail server is set. */
export const renewInvitation = (id: string, mailed: boolean) =>
  data(
    api.POST("/api/invitations/{invitation_id}/resend", {
      params: { path: { invitation_id: id }, query: { send_mail: mailed } },
    }),
  );

export const deleteInvitation = (id: string) =>
  done(api.DELETE("/api/invitations/{invitation_id}", { params: { path: { invitation_id: id } } }));

export const previewInvitation = (token: string) => data(api.POST("/api/auth/invitation/preview", { body: { token } }));

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => whole((query) => data(api.GET("/api/auth/sessions", { params: { query }, signal }))),
});

export const deleteSession = (id: string) =>
  done(api.DELETE("/api/auth/sessions/{session_id}", { params: { path: { session_id: id } } }));

export const deleteOtherSessions = () => done(api.DELETE("/api/auth/sessions"));

/** What becomes of somebody's API keys when the password changes. */
export type ApiKeysThen = Schemas["ApiKeysThen"];

export const changePassword = (current: string, next: string, keys: ApiKeysThen) =>
  done(api.POST("/api/auth/password", { body: { current_password: current, new_password: next, api_keys: keys } }));

export const apiKeysQuery = queryOptions({
  queryKey: ["api-keys"],
  queryFn: ({ signal }) => whole((query) => data(api.GET("/api/api-keys", { params: { query }, signal }))),
});

export const createApiKey = (body: Schemas["ApiKeyCreate"]) =>
  data(api.POST("/api/api-keys", { body, headers: { "Idempotency-Key": newKey() } }));

export const deleteApiKey = (id: string) =>
  done(api.DELETE("/api/api-keys/{api_key_id}", { params: { path: { api_key_id: id } } }));

export const auditQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ["audit", "list", query],
    queryFn: ({ signal }) => data(api.GET("/api/audit", { params: { query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

// Organisations

export const organizationsQuery = queryOptions({
  queryKey: ["organizations"],
  queryFn: ({ signal }) => whole((query) => data(api.GET("/api/organizations", { params: { query }, signal }))),
  staleTime: 300_000,
});

export const createOrganization = (name: string) =>
  data(api.POST("/api/organizations", { body: { name }, headers: { "Idempotency-Key": newKey() } }));

export const renameOrganization = (name: string) => data(api.PATCH("/api/organization", { body: { name } }));

export const joinOrganization = (token: string) => data(api.POST("/api/invitations/join", { body: { token } }));

export const switchOrganization = (id: string) => data(api.POST("/api/auth/switch", { body: { organization_id: id } }));

// Second factor

export const factorQuery = queryOptions({
  queryKey: ["second-factor"],
  queryFn: ({ signal }) => data(api.GET("/api/auth/second-factor", { signal })),
});

export const enrolFactor = (password: string) =>
  data(api.POST("/api/auth/second-factor", { body: { current_password: password } }));

export const confirmFactor = (code: string) => data(api.POST("/api/auth/second-factor/confirm", { body: { code } }));

export const disableFactor = (password: string) =>
  done(api.POST("/api/auth/second-factor/disable", { body: { current_password: password } }));

export const renewRecoveryCodes = (code: string) =>
  data(api.POST("/api/auth/second-factor/recovery-codes", { body: { code } }));

// Audit log

export const auditChainQuery = queryOptions({
  queryKey: ["audit", "verify"],
  queryFn: ({ signal }) => data(api.GET("/api/audit/verify", { signal })),
});

// Overview and settings

export const summaryQuery = queryOptions({
  queryKey: ["summary"],
  queryFn: ({ signal }) => data(api.GET("/api/summary", { signal })),
});

export const trendQuery = (days: number) =>
  queryOptions({
    queryKey: ["summary", "trend", days],
    queryFn: ({ signal }) => data(api.GET("/api/summary/trend", { params: { query: { days } }, signal })),
    staleTime: 60_000,
  });

export const scanningQuery = queryOptions({
  queryKey: ["config", "scanning"],
  queryFn: async ({ signal }) => {
    const answer = await api.GET("/api/config/scanning", { signal });
    return { allow_private: answer.data?.allow_private ?? false, etag: answer.response.headers.get("etag") };
  },
});

export const updateScanning = (allowPrivate: boolean, etag: string | null) =>
  data(
    api.PATCH("/api/config/scanning", {
      body: { allow_private: allowPrivate },
      headers: etag ? { "If-Match": etag } : {},
    }),
  );

export const systemQuery = queryOptions({
  queryKey: ["system", "status"],
  queryFn: ({ signal }) => data(api.GET("/api/system/status", { signal })),
});

export const healthQuery = queryOptions({
  queryKey: ["system", "health"],
  queryFn: ({ signal }) => data(api.GET("/health", { signal })),
});

export const jobsQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ["jobs", "list", query],
    queryFn: ({ signal }) => data(api.GET("/api/jobs", { params: { query: asked(query) }, signal })),
    placeholderData: keepPreviousData,
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["jobs", "one", id],
    queryFn: ({ signal }) => data(api.GET("/api/jobs/{job_id}", { params: { path: { job_id: id } }, signal })),
  });

export const cancelJob = (id: string) =>
  data(api.POST("/api/jobs/{job_id}/cancel", { params: { path: { job_id: id } } }));

export const retryJob = (id: string) =>
  data(api.POST("/api/jobs/{job_id}/retry", { params: { path: { job_id: id } } }));

export const workersQuery = (page: number) =>
  queryOptions({
    queryKey: ["system", "workers", page],
    queryFn: ({ signal }) => data(api.GET("/api/system/workers", { params: { query: { page } }, signal })),
    placeholderData: keepPreviousData,
  });

export const logLevelQuery = queryOptions({
  queryKey: ["system", "log-level"],
  queryFn: ({ signal }) => data(api.GET("/api/system/log-level", { signal })),
});

export const setLogLevel = (level: Schemas["LogLevel"]) => data(api.PUT("/api/system/log-level", { body: { level } }));

export const setMaintenance = (body: Schemas["MaintenanceUpdate"]) =>
  data(api.PATCH("/api/system/maintenance", { body }));

// Mail

export type MailInput = Schemas["MailSettingsUpdate"];

export const mailQuery = queryOptions({
  queryKey: ["config", "mail"],
  queryFn: async ({ signal }) => {
    const answer = await api.GET("/api/config/mail", { signal });
    return { settings: answer.data as Answer<Schemas["MailSettings"]>, etag: answer.response.headers.get("etag") };
  },
});

export const updateMail = (body: MailInput, etag: string | null) =>
  data(api.PATCH("/api/config/mail", { body, headers: etag ? { "If-Match": etag } : {} }));

export const testMail = (to: string | null) => data(api.POST("/api/config/mail/test", { body: { to } }));

export const forgotPassword = (email: string) => done(api.POST("/api/auth/password/forgot", { body: { email } }));

export const resetPassword = (token: string, next: string, keys: ApiKeysThen) =>
  done(api.POST("/api/auth/password/reset", { body: { token, new_password: next, api_keys: keys } }));

// Ways to sign in

export type AuthConfig = Answer<Schemas["AuthConfig"]>;
export type AuthConfigUpdate = Schemas["AuthConfigUpdate"];
export type AuthTest = Schemas["AuthConfigTest"];

export const authConfigQuery = queryOptions({
  queryKey: ["config", "auth"],
  queryFn: async ({ signal }) => {
    const answer = await api.GET("/api/config/auth", { signal });
    return { config: answer.data as AuthConfig, etag: answer.response.headers.get("etag") };
  },
});

export const updateAuthConfig = (body: AuthConfigUpdate, etag: string | null) =>
  data(api.PATCH("/api/config/auth", { body, headers: etag ? { "If-Match": etag } : {} }));

export const testAuthConfig = (body: AuthTest) => data(api.POST("/api/config/auth/test", { body }));

export const startOidc = (returnTo: string) =>
  data(api.GET("/api/auth/oidc/authorize", { params: { query: { return_to: returnTo } } }));

export const finishOidc = (body: { code: string; state: string }) =>
  data(api.POST("/api/auth/oidc/callback", { body }));

// Branding

/** Of an organisation; null for the one whose sign-in page this is. */
export const brandingQuery = (organization: string | null) =>
  queryOptions({
    queryKey: ["branding", organization],
    queryFn: async ({ signal }) => {
      const query = organization ? { organization_id: organization } : {};
      const answer = await api.GET("/api/branding", { params: { query }, signal });
      return { branding: answer.data as Branding, etag: answer.response.headers.get("etag") };
    },
    staleTime: 300_000,
  });

export const updateBranding = (body: Schemas["BrandingUpdate"], etag: string | null) =>
  data(api.PATCH("/api/branding", { body, headers: etag ? { "If-Match": etag } : {} }));

type BrandAsset = "logo_light" | "logo_dark" | "favicon";

export function uploadAssetOfBrand(kind: BrandAsset, file: Blob) {
  const form = new FormData();
  form.append("file", file, `${kind}.png`);
  return done(
    api.POST("/api/branding/assets/{asset_type}", {
      params: { path: { asset_type: kind } },
      body: form as never,
      bodySerializer: (body: unknown) => body as FormData,
    }),
  );
}

export const deleteAssetOfBrand = (kind: BrandAsset) =>
  done(api.DELETE("/api/branding/assets/{asset_type}", { params: { path: { asset_type: kind } } }));

export const loadDemo = () => data(api.POST("/api/demo", { headers: { "Idempotency-Key": newKey() } }));

export const deleteDemo = () => done(api.DELETE("/api/demo"));

export function newKey(): string {
  // `randomUUID` exists in secure contexts only; the key needs to be unique, not secret.
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}
