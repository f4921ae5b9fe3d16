/** Files that are dragged over a place. */

import { type RefObject, useEffect, useRef, useState } from 'react';

/** Calls back with what is dropped there, and says whether files are over it now. */
export function useDrop(place: RefObject<HTMLElement | null>, onDropped: (transfer: DataTransfer) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  const latest = useRef(onDropped);
  useEffect(() => {
    latest.current = onDropped;
  });
  useEffect(() => {
    const element = place.current;
    // Entering a part inside comes before leaving the one around it.
    let depth = 0;
    const over = (next: number) => {
      depth = next;
      setIsOver(next > 0);
    };
    const listeners: Record<string, (event: DragEvent) => void> = {
      dragenter: () => over(depth + 1),
      dragleave: () => over(Math.max(0, depth - 1)),
      dragover: (event) => {
        if (event.dataTransfer) {
          event.dataTransfer.dropEffect = 'copy';
        }
      },
      drop: (event) => {
        over(0);
        if (event.dataTransfer) {
          latest.current(event.dataTransfer);
        }
      },
    };
    const guarded = Object.entries(listeners).map(([type, listener]) => {
      const guard = (event: Event) => {
        if (event instanceof DragEvent && carriesFiles(event)) {
          event.preventDefault();
          event.stopPropagation();
          listener(event);
        }
      };
      return [type, guard] as const;
    });
    // Before the terminal, which would take a drop for input.
    guarded.forEach(([type, guard]) => element?.addEventListener(type, guard, true));
    return () => guarded.forEach(([type, guard]) => element?.removeEventListener(type, guard, true));
  }, [place]);
  return isOver;
}

/** Files that miss their place are not opened by the browser, which would leave the page. */
export function useNoStrayDrops(): void {
  useEffect(() => {
    const refuse = (event: DragEvent) => {
      if (carriesFiles(event)) {
        event.preventDefault();
        if (event.dataTransfer && event.type === 'dragover') {
          event.dataTransfer.dropEffect = 'none';
        }
      }
    };
    window.addEventListener('dragover', refuse);
    window.addEventListener('drop', refuse);
    return () => {
      window.removeEventListener('dragover', refuse);
      window.removeEventListener('drop', refuse);
    };
  }, []);
}

function carriesFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes('Files') ?? false;
}
