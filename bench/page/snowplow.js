// The peer, started as documented; the collector's address is unreachable.
import { newTracker } from "@snowplow/browser-tracker";

newTracker("sp", "http://127.0.0.1:9");
