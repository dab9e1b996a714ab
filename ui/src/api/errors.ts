/** One invalid field as the server names it, `body -> email`. */
export interface FieldProblem {
  field: string;
  message: string;
  type: string;
}

/** What an API answer other than 2xx becomes. `status` 0: the server was not reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly fields: FieldProblem[];
  readonly requestId: string | null;
  readonly retryAfter: number | null;
  /** The kind of problem, without its prefix: `second_factor_required`. */
  readonly kind: string | null;

  constructor(init: {
    status: number;
    detail: string;
    fields?: FieldProblem[];
    requestId?: string | null;
    retryAfter?: number | null;
    kind?: string | null;
  }) {
    super(init.detail);
    this.name = "ApiError";
    this.status = init.status;
    this.fields = init.fields ?? [];
    this.requestId = init.requestId ?? null;
    this.retryAfter = init.retryAfter ?? null;
    this.kind = init.kind ?? null;
  }

  /** The message for a form field, by its own name: `email` finds `body -> email`, `issuer` finds `oidc.issuer`. */
  field(name: string): string | undefined {
    return this.fields.find((problem) => lastPart(problem.field) === name)?.message;
  }
}

/** What the server says about one field of a form, from whatever a request failed with. */
export function fieldProblem(error: unknown, name: string): string | undefined {
  return error instanceof ApiError ? error.field(name) : undefined;
}

function lastPart(field: string): string {
  return field.split(/->|\./).pop()?.trim() ?? field;
}

/** Reads an error body of the API; tolerates bodies that are not ours (a proxy's page). */
export function toApiError(response: Response, body: unknown): ApiError {
  const record = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const detail = typeof record.detail === "string" ? record.detail : `HTTP ${response.status}`;
  const retry = Number(record.retry_after ?? response.headers.get("retry-after"));
  return new ApiError({
    status: response.status,
    detail,
    fields: Array.isArray(record.errors) ? (record.errors as FieldProblem[]) : [],
    requestId: typeof record.request_id === "string" ? record.request_id : response.headers.get("x-request-id"),
    kind: typeof record.type === "string" ? (record.type.split(":").pop() ?? null) : null,
    retryAfter: Number.isFinite(retry) && retry > 0 ? retry : null,
  });
}
