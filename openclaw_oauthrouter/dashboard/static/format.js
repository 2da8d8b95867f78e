// Numbers, money and time in few, steady characters.

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const clockTime = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const clockMinute = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayAndTime = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });

export const NONE = "–";

export function count(value) {
  return value < 100_000 ? plain.format(value) : compact.format(value);
}

export function tokens(value) {
  return value < 10_000 ? plain.format(value) : compact.format(value);
}

export function dollars(value) {
  const size = Math.abs(value);
  if (size === 0) return "$0";
  if (size < 0.0001) return "<$0.0001";
  const digits = size >= 100 ? 0 : size >= 0.1 ? 2 : 4;
  const text = size.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${value < 0 ? "−" : ""}$${text}`;
}

export function milliseconds(value) {
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 10_000) return `${(value / 1000).toFixed(2)} s`;
  if (value < 60_000) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
}

export function percent(value) {
  return `${Math.round(value * 100)}%`;
}

const UNITS = { count, tokens, dollars, ms: milliseconds, percent, text: String };

/** A value in its unit; a dash when there is none. */
export function inUnit(value, unit = "text") {
  if (value === undefined || value === null) return NONE;
  return (UNITS[unit] ?? String)(value);
}

export function time(ts) {
  return clockTime.format(ts);
}

/** The time of day; with the day where that is another one than today. */
export function moment(ts, now = Date.now()) {
  return isToday(ts, now) ? time(ts) : `${day(ts)} ${minute(ts)}`;
}

export function isToday(ts, now = Date.now()) {
  return new Date(ts).toDateString() === new Date(now).toDateString();
}

export function minute(ts) {
  return clockMinute.format(ts);
}

export function day(ts) {
  return shortDay.format(ts);
}

export function dateAndTime(ts) {
  return dayAndTime.format(ts);
}

/** How long until a moment (milliseconds since 1970): "2 h 05 m". */
export function countdown(moment, now = Date.now()) {
  const seconds = Math.max(0, Math.round((moment - now) / 1000));
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} m`;
  if (minutes) return `${minutes} m ${String(seconds % 60).padStart(2, "0")} s`;
  return `${seconds} s`;
}
