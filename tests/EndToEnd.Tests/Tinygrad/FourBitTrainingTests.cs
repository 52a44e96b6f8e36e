using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EgpuFleet.Api;
using EgpuFleet.TestKit;
using EgpuFleet.TestKit.Fleet;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>
/// A base of four bits stays as it is on a device that tinygrad drives, an adapter beside it learns, and the worker is killed
/// in the middle of it.
/// </summary>
public sealed class FourBitTrainingTests(ITestOutputHelper output)
{
    private const string Base = "four-bits";
    private const string Trainer = "node-2";
    private const int Steps = 32;

    /// <summary>Steps at either end that a loss is taken from: batches of one row are unlike each other.</summary>
    private const int Averaged = 4;

    /// <summary>The first one is what the kill waits for.</summary>
    private const int CheckpointSeconds = 1;

    [Fact]
    public async Task A_killed_run_over_a_frozen_base_of_four_bits_ends_as_the_same_run_in_peace()
    {
        NeedsTinygrad.Require();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(6));
        using var gauge = new MemoryGauge();
        var options = new RigOptions
        {
            Silos = 1,
            Agents = 2,
            AgentEnvironment = node => node == Trainer ? gauge.AgentEnvironment : null,
        };
        await using var rig = await TrainingRig.StartAsync(options, limit.Token);
        var model = await AddBaseAsync(rig, limit.Token);
        var data = await rig.UploadAsync(SampleRequest.Lines(count: 40), limit.Token);
        var request = Request(data);
        var estimate = await rig.Client.EstimateFineTuningAsync(request, limit.Token);
        var device = estimate.Devices.Single(one => one.Engine == "tinygrad");
        Assert.True(device.Fits, device.Reason);

        var killed = await TrainAsync(rig, request, killed: true, limit.Token);
        var peace = await TrainAsync(rig, request, killed: false, limit.Token);

        AssertWentOn(killed);
        Assert.Empty(killed.DifferencesTo(peace));
        AssertLearnt(killed);
        AssertFits(killed, gauge.PeakBytes(), device.NeededBytes!.Value);
        await AssertOnlyTheAdapterAsync(rig, killed, model, limit.Token);
        await AssertAnswersAsync(rig, killed.Job.FineTunedModel!, limit.Token);
    }

    private void AssertWentOn(TrainedRun killed)
    {
        Assert.Equal("succeeded", killed.Job.Status);
        var resumed = Assert.Single(killed.Resumptions());
        Assert.InRange(resumed.From, 1, Steps - 1);
        // One loss, and the same device went on with another worker: it was waited for.
        Assert.Single(
            killed.Story,
            line => line.Message.StartsWith("The worker was lost after step ", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(killed.Story, line => line.Message.Contains(" stopped: ", StringComparison.Ordinal));
        output.WriteLine($"killed at step {resumed.Furthest}, goes on from the checkpoint of step {resumed.From}");
    }

    private void AssertLearnt(TrainedRun run)
    {
        var losses = run.Losses.Values.ToList();
        var (first, last) = (losses.Take(Averaged).Average(), losses.TakeLast(Averaged).Average());
        output.WriteLine(
            $"loss {losses[0]:0.000} at step 1, {losses[^1]:0.000} at step {Steps}; {first:0.000} to {last:0.000} on average"
        );
        Assert.Equal(Steps, losses.Count);
        Assert.True(last < 0.9 * first, string.Join(' ', losses));
    }

    /// <summary>What was used is at most what the device said, and that at most what was said before there was a run.</summary>
    private void AssertFits(TrainedRun run, long peakBytes, long estimatedBytes)
    {
        const string Before = ", in ";
        var starts = run.Story.First(line => line.Message.StartsWith("Starts in worker ", StringComparison.Ordinal));
        var told = starts.Message[(starts.Message.IndexOf(Before, StringComparison.Ordinal) + Before.Length)..];
        var saidBytes = long.Parse(told.Split(' ')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        output.WriteLine(
            $"memory: {peakBytes:N0} bytes at most, {saidBytes:N0} by the device, {estimatedBytes:N0} by the estimate"
        );
        Assert.InRange(peakBytes, 1, saidBytes);
        Assert.InRange(saidBytes, 1, estimatedBytes);
    }

    /// <summary>What was trained is beside the base: its file is the same at the device, and no tensor of it in the state.</summary>
    private static async Task AssertOnlyTheAdapterAsync(
        TrainingRig rig,
        TrainedRun run,
        ModelInfo model,
        CancellationToken cancellationToken
    )
    {
        Assert.All(run.State.Keys, name => Assert.Matches(@"lora_[ab]|^run$", name));
        Assert.Contains("blk.0.attn_q.lora_a", run.State.Keys);
        var cached = Directory
            .EnumerateFiles(Path.Combine(rig.Rig.Folder, Trainer), "*", SearchOption.AllDirectories)
            .Where(path => path.Contains(model.Sha256, StringComparison.Ordinal));
        await using var file = File.OpenRead(Assert.Single(cached));
        Assert.Equal(model.Sha256, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)));
    }

    private static async Task AssertAnswersAsync(TrainingRig rig, string name, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = rig.Rig.Silos[0].Url };
        Assert.NotEqual(
            await CompleteAsync(http, Base, cancellationToken),
            await CompleteAsync(http, name, cancellationToken)
        );
    }

    private static async Task<string> CompleteAsync(HttpClient http, string model, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync(
            "/v1/completions",
            new
            {
                model,
                prompt = "The little dog",
                max_tokens = 24,
                temperature = 0,
            },
            cancellationToken
        );
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return (string?)JsonNode.Parse(text)!["choices"]![0]!["text"] ?? "";
    }

    private static async Task<TrainedRun> TrainAsync(
        TrainingRig rig,
        FineTuningRequest request,
        bool killed,
        CancellationToken cancellationToken
    )
    {
        var id = await rig.CreateAsync(request, cancellationToken);
        if (killed)
        {
            var job = await rig.FindAsync(id, cancellationToken);
            while ((await rig.CheckpointsAsync(job, cancellationToken)).Count == 0)
                job = await rig.FindAsync(id, cancellationToken);
            var agent = rig.Rig.Agents.Single(one => one.Name == Trainer);
            var worker = await rig.WorkerAsync(agent, TrainingRig.TinygradProgram);
            await ProcessTable.KillAsync(worker!.Value, cancellationToken);
        }
        var ended = await rig.UntilAsync(id, _ => false, cancellationToken);
        return await TrainedRun.ReadAsync(rig, ended, cancellationToken);
    }

    private static async Task<ModelInfo> AddBaseAsync(TrainingRig rig, CancellationToken cancellationToken)
    {
        var path = Path.Combine(rig.Rig.Folder, $"{Base}.gguf");
        FourBits.Write(RepositoryPaths.At("samples", "models", $"{TrainingRig.Model}.gguf"), path);
        await using var file = File.OpenRead(path);
        return await rig.Client.AddModelAsync(Base, file, cancellationToken);
    }

    private static FineTuningRequest Request(string data)
    {
        var request = SampleRequest.Of(data, Steps, CheckpointSeconds);
        return request with
        {
            Model = Base,
            Egpufleet = request.Egpufleet! with { Engine = "tinygrad", RowTokens = 64 },
        };
    }
}
