// Wall time in microseconds; Date.now() has milliseconds only. Every process of a machine reads the same clock.
export const nowMicros = () => (performance.timeOrigin + performance.now()) * 1000;

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
