/**
 * Whether somebody looks at the page: it is in front, and was touched a short while ago. What asks
 * the server by itself asks only then, or a session that nobody uses would never end.
 */

/** For how long somebody who touches nothing is taken to look, in milliseconds. */
const PATIENCE = 120_000;

let touched = Date.now();
const touch = (): void => void (touched = Date.now());
for (const sign of ['pointerdown', 'pointermove', 'keydown', 'scroll', 'focus', 'hashchange']) {
  window.addEventListener(sign, touch, { passive: true, capture: true });
}

export const isPresent = (now = Date.now()): boolean => document.visibilityState === 'visible' && now - touched < PATIENCE;
