namespace EgpuFleet.Api;

/// <summary>What became of one line of <c>POST /api/v1/jobs:bulk</c>; the answer has one for each line, in order.</summary>
/// <param name="Line">From 1; blank lines count and have no outcome.</param>
/// <param name="Status">202 accepted, 422 or 413 wrong, 503 not known to be stored: send all lines again under the same key.</param>
/// <param name="Id">Of the accepted job.</param>
/// <param name="Replayed">True: accepted by an earlier request under the same key.</param>
public sealed record BulkOutcome(
    int Line,
    int Status,
    string? Id = null,
    bool? Replayed = null,
    BulkError? Error = null
);

/// <summary>Why a line was not accepted.</summary>
/// <param name="Field">The field at fault, where it is one.</param>
/// <param name="RetryAfterSeconds">When a repetition may succeed.</param>
public sealed record BulkError(string Code, string Detail, string? Field = null, int? RetryAfterSeconds = null);
