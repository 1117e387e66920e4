// The peer, started as its documents say; nothing listens at the collector's address.
import { newTracker } from "@snowplow/browser-tracker";

newTracker("sp", "http://127.0.0.1:9");
