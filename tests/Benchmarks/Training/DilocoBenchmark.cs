using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Engine;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Kernels.Training;
using EgpuFleet.Torch.Tests.DataParallel;

namespace EgpuFleet.Benchmarks.Training;

/// <summary>
/// <c>fleet bench diloco</c>: all weights of a small model learn a text in rounds, shared by 1, 2 and 4 worker processes of
/// one thread each, and on one device alone. The differences are written as an agent writes them, the outer step is the
/// silo's; no fleet stands between.
/// </summary>
internal sealed class DilocoBenchmark(DilocoBench settings, FleetConsole console, TimeProvider clock)
{
    private const string Torch = "EgpuFleet.Kernels.Torch";
    private const int AllSteps = 1_920;
    private const int QuickShare = 8;
    private const double PeakRate = 3e-3;
    private const double WarmUpShare = 0.05;

    /// <summary>Members, and steps of each between two rounds.</summary>
    private static readonly (int Members, int StepsPerRound)[] Sharings =
    [
        (1, 30),
        (2, 10),
        (2, 30),
        (2, 100),
        (4, 10),
        (4, 30),
        (4, 100),
    ];

    private readonly FigureBook _figures = new();
    private readonly Steps _steps = new(console, clock);
    private readonly DilocoText _text = DilocoText.Open();
    private readonly int _count = settings.Quick ? AllSteps / QuickShare : AllSteps;

    public static async Task<int> ExitCodeAsync(
        string json,
        FleetConsole console,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var settings = DilocoBench.FromJson(json);
        var isMet = await new DilocoBenchmark(settings, console, clock).RunAsync(cancellationToken);
        return isMet || !settings.Check ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>Returns whether all goals are met within their margins.</summary>
    private async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var scratch = new ScratchFolder();
        for (var seed = 1; seed <= settings.Runs; seed++)
            await RunAsync(seed, scratch, cancellationToken);
        var setting = new JsonObject
        {
            ["runs"] = settings.Runs,
            ["steps"] = _count,
            ["tokens_per_step"] = DilocoText.RowTokens,
            ["weights"] = "stories260K, all of them",
            ["peak_rate"] = PeakRate,
            ["encoding"] = nameof(DeltaEncoding.F16),
            ["outer"] = "rate 1, no momentum",
            ["processors"] = Environment.ProcessorCount,
            ["seconds"] = Math.Round(_steps.Elapsed.TotalSeconds),
        };
        IReadOnlyList<Goal> goals = settings.Quick ? [] : Budgets.Of(DilocoBench.Verb);
        var report = new BenchReport(DilocoBench.Verb, _figures, goals, setting);
        console.Line();
        console.Table(BenchReport.Header, report.Rows);
        foreach (var goal in report.GoalLines)
            console.Line(goal);
        console.Output.WriteLine(report.JsonLine());
        return report.IsWithinMargins;
    }

    private async Task RunAsync(int seed, ScratchFolder scratch, CancellationToken cancellationToken)
    {
        var batches = _text.Shuffled(seed, _count);
        var alone = await AloneAsync(batches, scratch, cancellationToken);
        foreach (var (members, stepsPerRound) in Sharings)
        {
            var (loss, sent) = await SharedAsync(members, stepsPerRound, batches, scratch, cancellationToken);
            var gap = 100 * ((loss / alone) - 1);
            var name = $"{members}_members_{stepsPerRound}_steps";
            _figures.Add($"gap_percent_{name}", gap);
            _steps.Say(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"seed {seed}, {members} members, a round every {stepsPerRound} steps: {loss:0.000} ({gap:+0.0;-0.0} %)"
                )
            );
            if (members > 1)
                _figures.Add($"bytes_ratio_{name}", Synchronous() / (double)sent);
        }
    }

    /// <summary>Bytes of as many steps in which each rank sends its gradients and gets their sum, in 32-bit floats.</summary>
    private long Synchronous() => _count * 2L * sizeof(float) * _weights;

    private long _weights;

    private async Task<double> AloneAsync(
        IReadOnlyList<TrainBatch> batches,
        ScratchFolder scratch,
        CancellationToken cancellationToken
    )
    {
        await using var worker = await EngineWorker.StartAsync(Torch, scratch, clock, cancellationToken);
        await using var session = await worker.OpenTrainingAsync(Spec(), cancellationToken);
        var before = await HeldOutAsync(session, cancellationToken);
        var rate = Rate();
        for (var step = 0; step < _count; step++)
            await session.StepAsync(batches[step], rate.At(step), cancellationToken);
        var path = scratch.At("alone.safetensors");
        await session.SaveAsync(path, weightsOnly: true, cancellationToken);
        _weights = WeightsFile.Read(path).Tensors.Sum(tensor => (long)tensor.Values.Length);
        var loss = await HeldOutAsync(session, cancellationToken);
        _figures.Add("loss_before", before);
        _figures.Add("loss_one_device", loss);
        _steps.Say(string.Create(CultureInfo.InvariantCulture, $"one device alone: {before:0.000} to {loss:0.000}"));
        return loss;
    }

    /// <returns>Loss of what nobody trained on, and the bytes that all members sent and got.</returns>
    private async Task<(double Loss, long Sent)> SharedAsync(
        int members,
        int stepsPerRound,
        IReadOnlyList<TrainBatch> batches,
        ScratchFolder scratch,
        CancellationToken cancellationToken
    )
    {
        var workers = new List<EngineWorker>();
        try
        {
            var sessions = new List<ITrainingSession>();
            for (var member = 0; member < members; member++)
            {
                workers.Add(await EngineWorker.StartAsync(Torch, scratch, clock, cancellationToken));
                sessions.Add(await workers[member].OpenTrainingAsync(Spec(), cancellationToken));
            }
            var run = new Members(sessions, scratch.Path, new OuterRates(1, 0), DeltaEncoding.F16);
            await run.StartAsync(cancellationToken);
            var rate = Rate();
            for (var first = 0; first < _count; first += members * stepsPerRound)
            {
                var round = batches.Skip(first).Take(members * stepsPerRound).ToList();
                var work = Enumerable
                    .Range(0, members)
                    .Select(member => (IReadOnlyList<TrainBatch>)[.. round.Where((_, nth) => nth % members == member)])
                    .ToList();
                await run.RoundAsync(work, nth => rate.At(first + (nth * members)), cancellationToken);
            }
            return (await HeldOutAsync(sessions[0], cancellationToken), run.SentBytes);
        }
        finally
        {
            foreach (var worker in workers)
                await worker.DisposeAsync();
        }
    }

    private async Task<double> HeldOutAsync(ITrainingSession session, CancellationToken cancellationToken)
    {
        var (sum, tokens) = (0.0, 0L);
        foreach (var batch in _text.HeldOut)
        {
            var part = await session.EvaluateAsync(batch, cancellationToken);
            (sum, tokens) = (sum + part.LossSum, tokens + part.Tokens);
        }
        return sum / tokens;
    }

    private LearningRate Rate() => new(PeakRate, (long)(WarmUpShare * _count), _count);

    private TrainSpec Spec() =>
        new(
            _text.ModelPath,
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_text.ModelPath))),
            Threads: 1,
            TrainMethod.Full,
            null,
            DilocoText.RowTokens,
            RowsPerPass: 1,
            new AdamSettings(),
            Seed: 1
        );
}
