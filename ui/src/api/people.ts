/** Members, the accounts behind them, and their API keys, as administrators read and change them. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { ListQuery } from "../components/table/state";
import { fromMember, fromUser, type Person } from "../lib/people";
import { api, data } from "./client";
import type { Answer, List } from "./model";
import { type ApiKeysThen, done, newKey } from "./queries";
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Which of the two lists somebody may read: `members.manage` opens the one, `users.manage` the other. */
export type Book = "members" | "users";

function mapped<From, To>(list: List<From>, to: (item: From) => To): List<To> {
  return { ...list, data: list.data.map(to) };
}

export const peopleQuery = (book: Book, query: ListQuery) =>
  queryOptions({
    queryKey: ["members", book, query],
    queryFn: async ({ signal }): Promise<List<Person>> => {
      const params = { query: query as never };
      return book === "members"
        ? mapped(await data(api.GET("/api/members", { params, signal })), fromMember)
        : mapped(await data(api.GET("/api/users", { params, signal })), fromUser);
    },
    placeholderData: keepPreviousData,
  });

export const personQuery = (book: Book, id: string) =>
  queryOptions({
    queryKey: ["members", "one", book, id],
    queryFn: async ({ signal }): Promise<Person> => {
      const params = { path: { user_id: id } };
      return book === "members"
        ? fromMember(await data(api.GET("/api/members/{user_id}", { params, signal })))
        : fromUser(await data(api.GET("/api/users/{user_id}", { params, signal })));
    },
  });

/** Changes somebody's place in the organisation, by whichever right one has. */
export async function changePlace(
  book: Book,
  id: string,
  body: { role?: string; is_active?: boolean },
): Promise<Person> {
  const params = { path: { user_id: id } };
  return book === "members"
    ? fromMember(await data(api.PATCH("/api/members/{user_id}", { params, body })))
    : fromUser(await data(api.PATCH("/api/users/{user_id}", { params, body })));
}

export const updateUser = (id: string, body: Schemas["UserUpdate"]) =>
  data(api.PATCH("/api/users/{user_id}", { params: { path: { user_id: id } }, body }));

export const createUser = (body: Schemas["UserCreate"]) =>
  data(api.POST("/api/users", { body, headers: { "Idempotency-Key": newKey() } }));

export type PasswordLink = Answer<Schemas["PasswordLink"]>;

/** Has a link for a new password made: it is mailed where mail is sent, and in the answer where it is not. */
export const createPasswordLink = (id: string) =>
  data(api.POST("/api/users/{user_id}/password-link", { params: { path: { user_id: id } } }));

export const removeFactorOf = (id: string) =>
  done(api.DELETE("/api/users/{user_id}/second-factor", { params: { path: { user_id: id } } }));

/** Ends every session of somebody here, and the API keys if so wished. */
export const endSessionsOf = (id: string, keys: ApiKeysThen) =>
  done(
    api.DELETE("/api/users/{user_id}/sessions", {
      params: { path: { user_id: id }, query: { api_keys: keys } },
    }),
  );

/** Ends a membership; the account stays. */
export const deleteMember = (id: string) =>
  done(api.DELETE("/api/members/{user_id}", { params: { path: { user_id: id } } }));

export type MemberKey = Answer<Schemas["ApiKey"]>;

/** Everybody's keys, newest first. */
export const memberKeysQuery = (query: { page: number; page_size: number }) =>
  queryOptions({
    queryKey: ["api-keys", "all", query],
    queryFn: ({ signal }) => data(api.GET("/api/api-keys", { params: { query: { ...query, all: true } }, signal })),
    placeholderData: keepPreviousData,
  });

export const memberKeyQuery = (id: string) =>
  queryOptions({
    queryKey: ["api-keys", "one", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/api-keys/{api_key_id}", { params: { path: { api_key_id: id } }, signal })),
  });
