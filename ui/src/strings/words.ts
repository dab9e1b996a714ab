/** Numbers inside sentences. */
export const n = (count: number) => count.toLocaleString("en").replaceAll(",", "\u202f");
export const plural = (count: number, one: string, many: string) => `${n(count)} ${count === 1 ? one : many}`;
