/** A function that never returns for one value of one column: what a function over its CPU limit really does to a pipeline. */

/** over-limit.wat, assembled. */
export const overLimitModule = Buffer.from(
  'AGFzbQEAAAABEgNgBH9/f38Bf2ACf38Bf2AAAAKOAQQWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQdmZF9yZWFkAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQhm' +
    'ZF93cml0ZQAAFndhc2lfc25hcHNob3RfcHJldmlldzEOYXJnc19zaXplc19nZXQAARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCGFyZ3NfZ2V0AAEDAgECBQMB' +
    'AAQHFwIGbWVtb3J5AgAKb3Zlcl9saW1pdAAEDAEBCrEBAa4BAQR/AkADQEEAQYCABCAAajYCAEEEQYCACCAAazYCAEEAQQBBAUEIEAANAUEIKAIARQ0BIABB' +
    'CCgCAGohACAAQYCACEkNAAsLQRBBFBACGkEYQYAgEAMaQRgoAgAhAgJAA0AgAiABai0AACEDIANFBEADQAwACwALIANBgIAEIAFqLQAARw0BIAFBAWohAQwA' +
    'CwALQQBBwAA2AgBBBEELNgIAQQFBAEEBQQgQARoLCxIBAEHAAAsLA3siT2siOnt9fQo=',
  'base64',
);

export const OVER_LIMIT_FUNCTION = 'over_limit';

/** The row that the module does not return from, as the JSON form of the contract writes it. */
export function overLimitArgument(column: string, value: string | number): string {
  return JSON.stringify({ [column]: typeof value === 'string' ? { String: value } : { Integer: value } });
}
