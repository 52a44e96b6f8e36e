using EgpuFleet.TestKit;
using OpenAI.FineTuning;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>A model learns from a text through the API, with the official SDK, and answers by its new name.</summary>
public sealed class FineTuningTests
{
    [Fact]
    public async Task A_model_learns_and_answers_by_its_name()
    {
        Shakespeare.SkipWithout();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(6));
        await using var fleet = await FleetUnderTest.StartAsync(limit.Token, agents: 1);
        var sample = RepositoryPaths.At("samples", "models", "tiny-fleet.gguf");
        await fleet.AddModelAsync(SharedFleet.SampleModel, sample, limit.Token);
        var sdk = new FineTuningRequest(fleet.Http.BaseAddress!);
        var training = await sdk.UploadAsync("plays.jsonl", Shakespeare.Jsonl(0, 100), limit.Token);
        var validation = await sdk.UploadAsync("held-out.jsonl", Shakespeare.Jsonl(3_000, 8), limit.Token);

        var job = await sdk.CreateAsync(
            new
            {
                model = SharedFleet.SampleModel,
                training_file = training,
                validation_file = validation,
                suffix = "plays",
                seed = 7,
                hyperparameters = new { batch_size = 4 },
                egpufleet = new
                {
                    max_steps = 20,
                    row_tokens = 160,
                    learning_rate = 2e-3,
                },
            },
            limit.Token
        );
        await foreach (var update in fleet.Client.WatchJobAsync(JobOf(job.JobId), null, limit.Token))
            _ = update;
        await job.UpdateStatusAsync(limit.Token);

        var told = await EventsAsync(job, limit.Token);
        Assert.True(job.Status == FineTuningStatus.Succeeded, $"{job.Status}: {string.Join('\n', told)}");
        var (first, last) = (LossOf(told, "Step 1/20:"), LossOf(told, "Step 20/20:"));
        Assert.True(last < 0.8 * first, $"The loss went from {first} to {last}.");
        Assert.NotEqual(Shown(told, "Before: "), Shown(told, "After: "));
        Assert.Contains(
            "validation loss=",
            told.Single(line => line.StartsWith("Step 20/20:", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );

        var name = Assert
            .Single(
                (await fleet.Client.ListModelsAsync(limit.Token)).Data,
                model => model.Name.StartsWith("ft:", StringComparison.Ordinal)
            )
            .Name;
        Assert.Equal(name, job.Value);
        Assert.NotEqual(
            await sdk.SayAsync(SharedFleet.SampleModel, "Speak, citizen.", limit.Token),
            await sdk.SayAsync(name, "Speak, citizen.", limit.Token)
        );
    }

    private static async Task<IReadOnlyList<string>> EventsAsync(FineTuningJob job, CancellationToken cancellationToken)
    {
        var told = new List<string>();
        await foreach (var one in job.GetEventsAsync(new GetEventsOptions { PageSize = 100 }, cancellationToken))
            told.Add(one.Message);
        return told;
    }

    private static double LossOf(IEnumerable<string> told, string step) =>
        double.Parse(
            told.Single(line => line.StartsWith(step, StringComparison.Ordinal)).Split('=')[1].Split(',')[0],
            System.Globalization.CultureInfo.InvariantCulture
        );

    private static string Shown(IEnumerable<string> told, string when) =>
        told.Single(line => line.StartsWith(when, StringComparison.Ordinal))[when.Length..];

    private static string JobOf(string fineTuning) => fineTuning.Replace("ftjob-", "job_", StringComparison.Ordinal);
}
