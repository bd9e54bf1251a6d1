/** The mark of Starling: a bird before its flock. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="#0b3b3a" />
      <path d="M5 20c5-1 8-4 11-8 2 3 5 4 11 3-4 2-6 4-8 8-3-3-7-4-14-3z" fill="#5fe0c4" />
      <g fill="#8ea8ff">
        <circle cx="8" cy="10" r="1.6" />
        <circle cx="13" cy="7" r="1.2" />
        <circle cx="24" cy="9" r="1.4" />
      </g>
    </svg>
  );
}
