using System.Text.Json;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Training;
using EgpuFleet.Kernels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Measuring;

/// <summary>Speeds of one round, on one thread.</summary>
/// <param name="GemmFlops">Multiplications and additions a second of a product of two matrices of 32-bit floats.</param>
/// <param name="FullTokens">Tokens a second of full fine-tuning.</param>
/// <param name="LoraTokens">Tokens a second with adapters beside all matrices.</param>
/// <param name="WorkingParameters">Weights that take part in products: all but the embedding table.</param>
internal sealed record TrainingRound(double GemmFlops, double FullTokens, double LoraTokens, long WorkingParameters);

/// <summary>
/// Steps of a small model beside a product of matrices, in turn: what of the processor's speed reaches training. Batch, passes
/// and optimizer are those of a session.
/// </summary>
internal sealed class TrainingSpeed : IDisposable
{
    private const int GemmSize = 2048;
    private const int Rows = 8;
    private const int RowTokens = 128;
    private const int StepsPerRound = 4;
    private const double Rate = 1e-4;

    private static readonly JsonSerializerOptions SnakeCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private readonly TimeProvider time;
    private readonly Tensor left = Square(1);
    private readonly Tensor right = Square(2);
    private readonly Side full;
    private readonly Side lora;

    private TrainingSpeed(TimeProvider time)
    {
        this.time = time;
        full = new Side(Shape, TrainMethod.Full);
        lora = new Side(Shape, TrainMethod.Lora);
    }

    /// <summary>Width 256, six layers, a vocabulary of 4,096, an output head of its own.</summary>
    public static LlamaConfig Shape { get; } = new(256, 6, 768, 8, 4, 4096, 1024) { IsTied = false };

    /// <summary>One line of JSON a round; one before them warms up.</summary>
    public static void Print(int rounds, TextWriter output)
    {
        set_num_threads(1);
        using var speed = new TrainingSpeed(TimeProvider.System);
        _ = speed.Measure();
        for (var round = 0; round < rounds; round++)
            output.WriteLine(JsonSerializer.Serialize(speed.Measure(), SnakeCase));
    }

    private TrainingRound Measure() =>
        new(
            2.0 * GemmSize * GemmSize * GemmSize / SecondsOf(() => left.mm(right).Dispose()),
            Rows * RowTokens / SecondsOf(full.Step),
            Rows * RowTokens / SecondsOf(lora.Step),
            Shape.Parameters - ((long)Shape.Vocabulary * Shape.Hidden)
        );

    public void Dispose()
    {
        full.Dispose();
        lora.Dispose();
        left.Dispose();
        right.Dispose();
    }

    private double SecondsOf(Action act)
    {
        var start = time.GetTimestamp();
        for (var step = 0; step < StepsPerRound; step++)
            act();
        return time.GetElapsedTime(start).TotalSeconds / StepsPerRound;
    }

    private static Tensor Square(long seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return randn([GemmSize, GemmSize], generator: generator).DetachFromDisposeScope();
    }

    /// <summary>A model with its optimizer and one batch.</summary>
    private sealed class Side : IDisposable
    {
        private readonly LlamaModel model;
        private readonly AdamW optimizer;
        private readonly Passes passes;
        private readonly TrainBatch batch;

        public Side(LlamaConfig config, TrainMethod method)
        {
            var adapter = method == TrainMethod.Lora ? new AdapterShape(8, 16, AdapterTargets.Usual) : null;
            var spec = new TrainSpec("", "", 1, method, adapter, RowTokens, Rows, new AdamSettings(), Seed: 1);
            model = TrainedWeights.Prepare(config, InitialWeights.Of(config, 1), spec);
            optimizer = new AdamW(TrainedWeights.Of(model, spec), spec.Optimizer);
            passes = new Passes(model, Rows, ScalarType.Float32, recompute: false);
            var random = new Random(1);
            int[] ids = [.. Enumerable.Range(0, Rows * RowTokens).Select(_ => random.Next(config.Vocabulary))];
            batch = new TrainBatch(Rows, RowTokens, ids, [.. ids.Reverse()], new int[ids.Length]);
        }

        public void Step()
        {
            var tokens = batch.TrainedTokens;
            _ = passes.Backward(batch, CancellationToken.None);
            optimizer.Advance(Rate, tokens, optimizer.GradientNorm() / tokens);
            optimizer.Clear();
        }

        public void Dispose()
        {
            optimizer.Dispose();
            model.Dispose();
        }
    }
}
