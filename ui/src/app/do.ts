/** "Do, say, read again": what most changes of a page are. One that is to be asked about first: `components/confirmed`. */
import { type QueryKey, type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "./toasts";

/** A change that says that it is done, or why it is not; it is under way until what it changes is read again. */
export function useDo<Answer, Input = void>(
  run: (input: Input) => Promise<Answer>,
  said: (answer: Answer) => string,
  keys: readonly QueryKey[],
): UseMutationResult<Answer, unknown, Input> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (answer) => toast.ok(said(answer)),
    onError: toast.error,
    onSettled: () => Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}
