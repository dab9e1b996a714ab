/** The theme a person chose goes with the account: kept by the server, and mirrored here so that nothing flashes. */
import { api } from "../api/client";
import type { User } from "../api/model";
import { meQuery, queryClient } from "../api/queries";
import { chooseTheme, type ThemeChoice } from "./theme-choice";

/** What the server said last, and about whom: only what it says anew changes this browser. */
const SEEN = "bartizan.theme.seen";

const mark = (user: User) => `${user.id} ${user.theme_preference}`;

function remember(user: User): boolean {
  try {
    if (localStorage.getItem(SEEN) === mark(user)) return false;
    localStorage.setItem(SEEN, mark(user));
    return true;
  } catch {
    return false;
  }
}

/** Takes over the theme of who signed in. */
export function adoptTheme(user: User): void {
  if (remember(user)) chooseTheme(user.theme_preference as ThemeChoice);
}

/** Shows a theme, and keeps it for the other browsers of this person where the server takes it. */
export function preferTheme(choice: ThemeChoice): void {
  chooseTheme(choice);
  void api
    .PATCH("/api/auth/me", { body: { theme_preference: choice } })
    .then(({ data }) => {
      if (!data) return;
      remember(data as User);
      queryClient.setQueryData(meQuery.queryKey, data as User);
    })
    .catch(() => undefined);
}
