using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>Which result, if any, says that a fine-tuning failed though its job has done all that it could.</summary>
internal static class RunFailure
{
    /// <summary>The item that publishes. A shared run has one more for each further member.</summary>
    private const int Publisher = 0;

    /// <summary>
    /// A run fails with the item that publishes its result: a further member that failed for good left its microshards
    /// to the others.
    /// </summary>
    /// <param name="results">Of the job, read as far as is needed.</param>
    /// <returns>Null: it did not fail, or its results do not say so.</returns>
    public static async Task<ItemResult?> FindAsync(
        JobRecord record,
        IAsyncEnumerable<ItemResult> results,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(results);
        if (record is not { State: JobState.Succeeded, FailedItems: > 0 })
            return null;
        await foreach (var result in results.WithCancellation(cancellationToken))
        {
            if (result is { Index: Publisher, ErrorCode: not null })
                return result;
        }
        return null;
    }
}
