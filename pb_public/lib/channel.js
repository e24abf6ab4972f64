/** A list of listeners: send tells them all, listen answers what ends it. */
export function channel() {
  const listeners = new Set();
  return {
    send: (...what) => listeners.forEach((hear) => hear(...what)),
    listen(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}
