import { useEffect, useState, useSyncExternalStore } from 'react';

import type { Live, View } from './live.ts';

/** What is shown of a session, and again whenever it changes. */
export function useView(live: Live): View {
  return useSyncExternalStore(live.subscribe, () => live.view);
}

/** How often the round-trip time is looked at. */
const RTT_EVERY_MS = 1000;

/** Milliseconds to the node and back, as last measured. */
export function useRtt(live: Live): number | null {
  const [rtt, setRtt] = useState(live.rttMs);
  useEffect(() => {
    const timer = window.setInterval(() => setRtt(live.rttMs), RTT_EVERY_MS);
    return () => window.clearInterval(timer);
  }, [live]);
  return rtt;
}
