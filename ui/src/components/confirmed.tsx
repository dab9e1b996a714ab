/** "Ask, do, say, read again": what every removal in the settings does. */
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { toast } from "../app/toasts";
import { t } from "../strings";
import { Confirm } from "./Confirm";

interface Words {
  title: string;
  text: string;
  yes: string;
  /** Said when it is done. */
  done: string;
}

/** A function that asks about an item, and the dialog to put into the page. */
export function useConfirmed<Item>(
  run: (item: Item) => Promise<unknown>,
  words: (item: Item) => Words,
  keys: readonly QueryKey[],
  after?: () => void,
): [ask: (item: Item) => void, dialog: ReactNode] {
  const client = useQueryClient();
  const [item, setItem] = useState<Item | null>(null);
  const work = useMutation({
    mutationFn: run,
    onSuccess: (_answer, done) => {
      toast.ok(words(done).done);
      after?.();
    },
    onError: toast.error,
    onSettled: () => {
      setItem(null);
      for (const queryKey of keys) void client.invalidateQueries({ queryKey });
    },
  });
  const said = item === null ? null : words(item);
  const dialog =
    said && item !== null ? (
      <Confirm
        title={said.title}
        text={said.text}
        yes={said.yes}
        no={t.common.cancel}
        busy={work.isPending}
        onYes={() => work.mutate(item)}
        onNo={() => setItem(null)}
      />
    ) : null;
  return [setItem, dialog];
}
