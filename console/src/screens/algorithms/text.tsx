/** Texts of the API, in which backticks set code apart. */
export function Words({ text }: { text: string }) {
  return (
    <>
      {text.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}
    </>
  )
}
