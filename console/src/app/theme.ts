/** Light, dark, or as the system says. The choice is this browser's. */

import { useSyncExternalStore } from 'react';

import { applyMode, disableMotion, Mode } from '@cloudscape-design/global-styles';

export type Theme = 'light' | 'dark' | 'system';

const KEY = 'postern.theme';
const THEMES: readonly Theme[] = ['light', 'dark', 'system'];

const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
const prefersStill = window.matchMedia('(prefers-reduced-motion: reduce)');
const listeners = new Set<() => void>();
let chosen: Theme = stored();

/** Applies the choice, and the system's wishes whenever they change. Called once, before anything is drawn. */
export function startTheme(): void {
  prefersDark.addEventListener('change', apply);
  prefersStill.addEventListener('change', apply);
  apply();
}

export function chooseTheme(theme: Theme): void {
  chosen = theme;
  try {
    window.localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  apply();
}

/** What was chosen. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => chosen);
}

/** Whether the page is dark now; for what Cloudscape does not draw. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}

/** Whether the person asked for less motion. */
export function prefersReducedMotion(): boolean {
  return prefersStill.matches;
}

function isDark(): boolean {
  return chosen === 'dark' || (chosen === 'system' && prefersDark.matches);
}

function apply(): void {
  applyMode(isDark() ? Mode.Dark : Mode.Light);
  disableMotion(prefersStill.matches);
  document.documentElement.style.colorScheme = isDark() ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stored(): Theme {
  try {
    const value = window.localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}
