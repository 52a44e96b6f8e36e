using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Silo.Gateway.FineTuning.Estimate;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Postgres.Files;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>
/// Finds samples that are longer than a row before there is a job, as long as that is quick: only those are tokenised whose
/// bytes leave a doubt, a few files at once, for a bounded time. What is left out, the device that trains finds.
/// </summary>
internal sealed class SampleLengths(FileTables files, ModelStore modelFiles, TimeProvider time) : IDisposable
{
    /// <summary>A text has at most a token for each byte; what a chat template puts around messages comes on top.</summary>
    private const int TemplateTokens = 256;

    private readonly SemaphoreSlim places = new(Limits.ConcurrentLengthChecks);

    /// <exception cref="GatewayException">400: samples that are too long, by their lines.</exception>
    public async Task RequireFitAsync(AdmittedFineTuning admitted, CancellationToken cancellationToken)
    {
        var rowTokens = admitted.Choice.RowTokens;
        var doubtful = new[] { (Data: admitted.Training, Field: "training_file") }
            .Append((Data: admitted.Validation!, Field: "validation_file"))
            .Where(one => one.Data is not null && IsDoubtful(one.Data.Facts.LongestBytes, rowTokens))
            .ToList();
        if (doubtful.Count == 0 || modelFiles.Find(admitted.Model.Ref.Sha256) is not { } path)
            return;
        if (!places.Wait(0, CancellationToken.None))
            return;
        // A template in the middle of its work cannot be stopped: the place is free when the work has ended.
        var work = Task.Run(
            async () =>
            {
                try
                {
                    var encoder = TokenCount.EncoderOf(path, rowTokens);
                    foreach (var (data, field) in doubtful)
                        await RequireFitAsync(data, field, encoder, rowTokens, cancellationToken);
                }
                finally
                {
                    places.Release();
                }
            },
            CancellationToken.None
        );
        try
        {
            await work.WaitAsync(Limits.LengthCheckWait, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The device's then.
        }
    }

    public void Dispose() => places.Dispose();

    private async Task RequireFitAsync(
        CheckedData data,
        string field,
        SampleEncoder encoder,
        int rowTokens,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        var findings = new TrainingFindings();
        await using var content = files.Open(data.Stored);
        await foreach (var record in TrainingLines.ReadAsync(content, findings, cancellationToken))
        {
            if (IsDoubtful(TrainingDataCheck.BytesOf(record), rowTokens))
                _ = encoder.Encode(record, findings);
            if (time.GetElapsedTime(began) >= Limits.LengthChecking)
                break;
        }
        if (findings.Errors > 0)
            throw TrainingDataCheck.Refused(field, findings);
    }

    private static bool IsDoubtful(long bytes, int rowTokens) => bytes + TemplateTokens > rowTokens;
}
