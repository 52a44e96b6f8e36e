using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Training;
using EgpuFleet.TestKit;

namespace EgpuFleet.Benchmarks.Training;

/// <summary>The shared text in rows of tokens of the reference model: a part to learn, and a part that nobody trains on.</summary>
internal sealed class DilocoText
{
    public const int RowTokens = 256;
    private const int HeldOutRows = 64;

    private readonly IReadOnlyList<TrainBatch> _rows;

    private DilocoText(string modelPath, string textPath)
    {
        ModelPath = modelPath;
        using var file = File.OpenRead(modelPath);
        var tokenizer = GgufTokenizer.From(GgufReader.Open(file));
        var ids = tokenizer.Encode(File.ReadAllText(textPath), parseSpecial: false);
        var rows = Enumerable.Range(0, (ids.Length - 1) / RowTokens).Select(row => Row(ids, row * RowTokens)).ToList();
        _rows = rows[..^HeldOutRows];
        HeldOut = rows[^HeldOutRows..];
    }

    public string ModelPath { get; }

    public IReadOnlyList<TrainBatch> HeldOut { get; }

    /// <exception cref="FleetFailure">Model or text are not beside the checkout.</exception>
    public static DilocoText Open()
    {
        var shared = RepositoryPaths.Shared ?? throw Missing();
        var model = Path.Combine(shared, "models", "stories260K", "stories260K.gguf");
        var text = Path.Combine(shared, "data", "tinyshakespeare.txt");
        return File.Exists(model) && File.Exists(text) ? new DilocoText(model, text) : throw Missing();
    }

    /// <summary>So many batches of one row each, no row twice.</summary>
    /// <exception cref="FleetFailure">The text has not so many.</exception>
    public IReadOnlyList<TrainBatch> Shuffled(int seed, int count)
    {
        if (count > _rows.Count)
            throw new FleetFailure($"The text has {_rows.Count} rows, not {count}.");
        var all = _rows.ToArray();
        new Random(seed).Shuffle(all);
        return all[..count];
    }

    private static FleetFailure Missing() =>
        new(
            "This benchmark needs models/stories260K and data/tinyshakespeare.txt in ../shared.",
            "Put them beside the checkout."
        );

    private static TrainBatch Row(int[] ids, int start) =>
        new(
            1,
            RowTokens,
            ids[start..(start + RowTokens)],
            ids[(start + 1)..(start + 1 + RowTokens)],
            new int[RowTokens]
        );
}
