using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>
/// A rig with the sample model that fine-tunes, and the public API as a patient client uses it: asked again until somebody
/// answers, whatever is down meanwhile.
/// </summary>
public sealed class TrainingRig : IAsyncDisposable
{
    public const string Model = "tiny-fleet";

    public const string TorchProgram = "EgpuFleet.Kernels.Torch";
    public const string TinygradProgram = "EgpuFleet.Kernels.Tinygrad";

    private const int PageSize = 100;

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly HttpClient http;

    private TrainingRig(FleetRig rig)
    {
        Rig = rig;
        http = new HttpClient { BaseAddress = rig.Silos[0].Url, Timeout = CallTimeout };
        Client = new FleetClient(http);
    }

    public FleetRig Rig { get; }

    public FleetClient Client { get; }

    public static async Task<TrainingRig> StartAsync(RigOptions options, CancellationToken cancellationToken)
    {
        var rig = new TrainingRig(await FleetRig.StartAsync(options, cancellationToken));
        try
        {
            await using var file = File.OpenRead(RepositoryPaths.At("samples", "models", $"{Model}.gguf"));
            await rig.Client.AddModelAsync(Model, file, cancellationToken);
            return rig;
        }
        catch
        {
            await rig.DisposeAsync();
            throw;
        }
    }

    /// <summary>Uploads lines of training data; returns the id of the file.</summary>
    public async Task<string> UploadAsync(byte[] lines, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(lines);
        return (await Client.UploadFileAsync(content, "data.jsonl", "fine-tune", cancellationToken)).Id;
    }

    /// <summary>Begins a run; returns its id.</summary>
    public async Task<string> CreateAsync(FineTuningRequest request, CancellationToken cancellationToken)
    {
        // One key for all tries: what was done is not done again.
        var key = Guid.NewGuid().ToString("N");
        return (
            await AskAsync(() => Client.CreateFineTuningAsync(request, key, cancellationToken), cancellationToken)
        ).Id;
    }

    /// <param name="verb">cancel, pause or resume.</param>
    public Task<FineTuningJobInfo> SteerAsync(string id, string verb, CancellationToken cancellationToken) =>
        AskAsync(() => Client.SteerFineTuningAsync(id, verb, cancellationToken), cancellationToken);

    public Task<FineTuningJobInfo> FindAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(() => Client.GetFineTuningAsync(id, cancellationToken), cancellationToken);

    /// <summary>Returns when the run is as wanted, or over.</summary>
    public async Task<FineTuningJobInfo> UntilAsync(
        string id,
        Func<FineTuningJobInfo, bool> wanted,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var job = await FindAsync(id, cancellationToken);
            if (wanted(job) || job.Status is "succeeded" or "failed" or "cancelled")
                return job;
            await Task.Delay(PollEvery, cancellationToken);
        }
    }

    /// <summary>The whole story of a run, oldest first.</summary>
    public async Task<IReadOnlyList<FineTuningEventInfo>> EventsAsync(string id, CancellationToken cancellationToken)
    {
        var story = new List<FineTuningEventInfo>();
        while (true)
        {
            var after = story.Count == 0 ? null : story[^1].Id;
            var page = await AskAsync(
                () => Client.ListFineTuningEventsAsync(id, after, PageSize, cancellationToken),
                cancellationToken
            );
            story.AddRange(page.Data);
            if (!page.HasMore)
                return story;
        }
    }

    /// <summary>The checkpoints of a run that are listed, newest first.</summary>
    public async Task<IReadOnlyList<CheckpointInfo>> CheckpointsAsync(
        FineTuningJobInfo job,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(job);
        var page = await AskAsync(
            () => Client.ListCheckpointsAsync(job.Egpufleet.Job, null, PageSize, cancellationToken),
            cancellationToken
        );
        return page.Data;
    }

    /// <summary>Which listed checkpoints are not whole by the store's own examination, or do not come back whole; none when all do.</summary>
    public async Task<IReadOnlyList<string>> FaultsOfCheckpointsAsync(
        FineTuningJobInfo job,
        CancellationToken cancellationToken
    )
    {
        var found = new List<string>();
        IEnumerable<string>? names = null;
        foreach (var checkpoint in await CheckpointsAsync(job, cancellationToken))
        {
            var verdict = await AskAsync(
                () => Client.VerifyCheckpointAsync(checkpoint.Id, cancellationToken),
                cancellationToken
            );
            if (!verdict.IsIntact)
                found.Add($"the checkpoint of step {checkpoint.Step} has {verdict.DamagedCount} damaged chunks");
            var state = await StateAsync(checkpoint.Id, cancellationToken);
            if (!state.Keys.SequenceEqual(names ??= state.Keys))
                found.Add($"the checkpoint of step {checkpoint.Step} is not a whole state");
        }
        return found;
    }

    /// <summary>Returns when the story of a run has a line with these words.</summary>
    public async Task UntilToldAsync(string id, string words, CancellationToken cancellationToken)
    {
        while (
            !(await EventsAsync(id, cancellationToken)).Any(line =>
                line.Message.Contains(words, StringComparison.Ordinal)
            )
        )
            await Task.Delay(PollEvery, cancellationToken);
    }

    /// <summary>SHA-256 of each tensor of a checkpoint, by its name: weights and the optimizer's moments.</summary>
    public async Task<IReadOnlyDictionary<string, string>> StateAsync(
        string checkpoint,
        CancellationToken cancellationToken
    )
    {
        using var content = await AskAsync(
            async () =>
            {
                var whole = new MemoryStream();
                await Client.ExportCheckpointAsync(checkpoint, whole, cancellationToken);
                return whole;
            },
            cancellationToken
        );
        content.Position = 0;
        using var state = SafetensorsFile.Open(content);
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var tensor in state.Tensors)
        {
            var bytes = new byte[tensor.Bytes];
            state.Read(tensor, 0, bytes);
            hashes[tensor.Name] = Convert.ToHexStringLower(SHA256.HashData(bytes));
        }
        return hashes;
    }

    /// <summary>The process that trains at an agent; null while there is none.</summary>
    public async Task<int?> WorkerAsync(RigProcess agent, string program = TorchProgram)
    {
        var workers = await Leftovers.WorkersOfAsync(Rig.Folder, agent, program);
        return workers.Count == 0 ? null : workers[^1];
    }

    /// <summary>Kills the process that trains at an agent, once there is one.</summary>
    public async Task KillWorkerAsync(RigProcess agent, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await WorkerAsync(agent) is { } worker)
            {
                Signals.Send(worker, Signals.Kill);
                return;
            }
            await Task.Delay(PollEvery, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Rig.DisposeAsync();
    }

    private static async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsPassing(e))
            {
                // Somebody is down: that is what the rig is for.
            }
            await Task.Delay(PollEvery, cancellationToken);
        }
    }

    private static bool IsPassing(Exception e) =>
        e
            is HttpRequestException
                or OperationCanceledException
                or IOException
                or JsonException
                or FleetApiException
                {
                    Status: HttpStatusCode.TooManyRequests
                        or HttpStatusCode.Conflict
                        or >= HttpStatusCode.InternalServerError
                };
}
