// What a device hears.

/** Subscribes and keeps every message. The subscription stands when this answers. */
export async function listen(pb, topic, options = {}) {
  const [collection, record] = topic.split('/');
  const messages = [];
  const waiting = new Set();
  const end = await pb.collection(collection).subscribe(record, (message) => {
    messages.push({ ...message, at: performance.now() });
    for (const look of waiting) look();
  }, options);

  /** Waits until the condition on all messages holds, and answers what it answered. */
  function until(condition, what = condition.toString(), timeout = 15_000) {
    return new Promise((met, missed) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        waiting.delete(look);
        settle(value);
      };
      const timer = setTimeout(
        () => finish(missed, new Error(`${topic}: waited in vain for ${what}\nheard: ${JSON.stringify(messages, null, 1)}`)), timeout);
      const look = () => {
        const result = condition(messages);
        if (result) finish(met, result);
      };
      waiting.add(look);
      look();
    });
  }

  return { topic, messages, until, next: (match) => until((all) => all.find(match), match.toString()), end };
}
