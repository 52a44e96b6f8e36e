using System.Text.Json;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.TestKit;
using OpenAI.FineTuning;

namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>
/// A run through the API beside a training loop of a few hundred lines that has no fleet, no engine and no autograd: the same
/// data, the same recipe, in doubles.
/// </summary>
public sealed class IndependentLoopTests(SharedFleet shared)
{
    private const int Steps = 10;
    private const int BatchRows = 2;
    private const int RowTokens = 96;
    private const int Rank = 4;
    private const int Seed = 7;
    private const int EvaluateEvery = 5;
    private const double PeakRate = 5e-3;

    /// <summary>Between floats of 32 bits and doubles, of losses of about 9 nats. Seen: 7e-7.</summary>
    private const double Tolerance = 5e-6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_loop_reaches_the_same_losses()
    {
        Shakespeare.SkipWithout();
        var (training, validation) = (Shakespeare.Jsonl(0, 40, 100), Shakespeare.Jsonl(9_000, 4, 100));
        var told = await ThroughTheFleetAsync(training, validation);
        var ours = await ByItselfAsync(training, validation);

        TestContext.Current.SendDiagnosticMessage(
            string.Join('\n', told.Keys.Order().Select(key => $"{key}: {told[key]:r} {ours[key]:r}"))
        );
        Assert.Equal(ours.Keys.Order(), told.Keys.Order());
        Assert.All(ours, one => Assert.Equal(one.Value, told[one.Key], Tolerance));
        Assert.True(ours[("valid_loss", Steps)] < ours[("valid_loss", EvaluateEvery)] - (1000 * Tolerance));
    }

    /// <summary>Losses by their name and step, as the events of the job tell them.</summary>
    private async Task<Dictionary<(string Name, int Step), double>> ThroughTheFleetAsync(
        byte[] training,
        byte[] validation
    )
    {
        var fleet = shared.Fleet;
        var sdk = new FineTuningRequest(fleet.Http.BaseAddress!);
        var job = await sdk.CreateAsync(
            new
            {
                model = SharedFleet.SampleModel,
                training_file = await sdk.UploadAsync("plays.jsonl", training, Token),
                validation_file = await sdk.UploadAsync("held-out.jsonl", validation, Token),
                seed = Seed,
                hyperparameters = new { batch_size = BatchRows, n_epochs = 1 },
                egpufleet = new
                {
                    max_steps = Steps,
                    row_tokens = RowTokens,
                    rank = Rank,
                    learning_rate = PeakRate,
                    evaluate_every_steps = EvaluateEvery,
                },
            },
            Token
        );
        await foreach (
            var update in fleet.Client.WatchJobAsync(
                job.JobId.Replace("ftjob-", "job_", StringComparison.Ordinal),
                null,
                Token
            )
        )
            _ = update;
        await job.UpdateStatusAsync(Token);
        Assert.Equal(FineTuningStatus.Succeeded, job.Status);

        var events = await fleet.Http.GetStringAsync($"/v1/fine_tuning/jobs/{job.JobId}/events?limit=100", Token);
        using var document = JsonDocument.Parse(events);
        return document
            .RootElement.GetProperty("data")
            .EnumerateArray()
            .Where(one => one.GetProperty("type").GetString() == "metrics")
            .Select(one => one.GetProperty("data"))
            .SelectMany(figures =>
                figures
                    .EnumerateObject()
                    .Where(figure => figure.Name is "train_loss" or "valid_loss")
                    .Select(figure => ((figure.Name, figures.GetProperty("step").GetInt32()), figure.Value.GetDouble()))
            )
            .ToDictionary();
    }

    private static async Task<Dictionary<(string Name, int Step), double>> ByItselfAsync(
        byte[] training,
        byte[] validation
    )
    {
        await using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        var reader = GgufReader.Open(file);
        var encoder = new SampleEncoder(GgufTokenizer.From(reader), template: null, RowTokens);
        var model = new TrainedLlama(reader, Rank, alpha: 2 * Rank, Seed);
        var adam = new Adam([.. model.Learning]);
        var heldOut = RowPacking.Pack(await SamplesAsync(validation, encoder), RowTokens);
        var rows = new RowOrder(await SamplesAsync(training, encoder), Seed, RowTokens)
            .From(default, epochs: 1)
            .Select(placed => placed.Row)
            .Chunk(BatchRows)
            .Take(Steps)
            .ToList();
        var losses = new Dictionary<(string, int), double>();
        for (var step = 0; step < Steps; step++)
        {
            losses[("train_loss", step + 1)] = Loss(model, rows[step], learns: true);
            adam.Step(RateOf(step), rows[step].Sum(Targets));
            if ((step + 1) % EvaluateEvery == 0)
                losses[("valid_loss", step + 1)] = Loss(model, heldOut, learns: false);
        }
        return losses;
    }

    /// <summary>No warm-up in so few steps; half a cosine down to a twentieth.</summary>
    private static double RateOf(int step) => PeakRate * (0.05 + (0.95 * (1 + Math.Cos(Math.PI * step / Steps)) / 2));

    /// <summary>Mean over the targets of all rows, in nats.</summary>
    private static double Loss(TrainedLlama model, IReadOnlyList<TrainingRow> rows, bool learns)
    {
        var sum = 0.0;
        foreach (var row in rows)
        {
            var tape = new Tape();
            sum += model.Forward(tape, row.Inputs, row.Targets, row.Segments);
            if (learns)
                tape.Backward();
        }
        return sum / rows.Sum(Targets);
    }

    private static int Targets(TrainingRow row) => row.Targets.Count(target => target >= 0);

    private static async Task<IReadOnlyList<TokenSample>> SamplesAsync(byte[] lines, SampleEncoder encoder)
    {
        var findings = new TrainingFindings(1);
        using var stream = new MemoryStream(lines);
        var data = await TrainingDataset.ReadAsync(stream, encoder, RowTokens, findings, Token);
        return data?.Samples ?? throw new InvalidOperationException($"{findings.Errors} faults in the data.");
    }
}
