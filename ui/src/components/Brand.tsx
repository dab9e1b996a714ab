/** The mark: a turret with its battlements. */
export function Mark() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden>
      <path d="M5 3h3v2.5h2.500V3h3v2.500H16V3h3v7.500l-2 2V18l-5 3.500L7 18v-5.500l-2-2z" />
    </svg>
  );
}
