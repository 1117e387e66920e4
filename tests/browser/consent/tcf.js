// A consent platform of the IAB's framework, whose API is the framework's own.
import { CmpApi } from "@iabtcf/cmpapi";
import { GVL, TCModel, TCString } from "@iabtcf/core";

const vendors = new GVL({
  gvlSpecificationVersion: 3, vendorListVersion: 1, tcfPolicyVersion: 4,
  lastUpdated: "2026-11-01T00:00:00Z", purposes: {}, specialPurposes: {}, features: {},
  specialFeatures: {}, stacks: {}, vendors: {}, dataCategories: {},
});
const api = new CmpApi(2, 1, true);
const write = (purposes) => {
  const model = new TCModel(vendors);
  model.cmpId = 2;
  model.cmpVersion = 1;
  model.purposeConsents.set(purposes);
  return TCString.encode(model);
};
window.ask = () => api.update(write([]), true);
window.decide = (granted) => api.update(write(granted ? [1, 5, 6] : [1]), false);
