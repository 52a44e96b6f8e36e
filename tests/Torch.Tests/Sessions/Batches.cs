using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>Small batches and specs of the tests.</summary>
internal static class Batches
{
    public const int RowTokens = 16;

    public static AdapterShape Adapter { get; } = new(4, 8, AdapterTargets.Usual);

    public static TrainSpec Spec(string path, string hash, TrainMethod method = TrainMethod.Full) =>
        new(
            path,
            hash,
            Threads: 1,
            method,
            method == TrainMethod.Lora ? Adapter : null,
            RowTokens,
            RowsPerPass: 2,
            new AdamSettings(),
            Seed: 7
        );

    /// <summary>Random ids; a part of the positions is not learnt, and each row has two samples and padding where wanted.</summary>
    public static TrainBatch Random(int seed, int vocabulary, int rows = 4, bool packed = true)
    {
        var random = new Random(seed);
        var count = rows * RowTokens;
        int[] inputs = [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
        int[] targets = [.. Enumerable.Range(0, count).Select(i => i % 5 == 0 ? -1 : random.Next(vocabulary))];
        var segments = new int[count];
        for (var i = 0; packed && i < count; i++)
        {
            segments[i] = (i % RowTokens) switch
            {
                < 7 => 0,
                < 13 => 1,
                _ => 2,
            };
            if (segments[i] == 2)
                targets[i] = -1;
        }
        return new TrainBatch(rows, RowTokens, inputs, targets, segments);
    }

    /// <summary>One text; learnt from a position on.</summary>
    public static TrainBatch Text(int[] tokens, int learnFrom, int rowTokens)
    {
        var inputs = new int[rowTokens];
        var targets = new int[rowTokens];
        var segments = new int[rowTokens];
        for (var i = 0; i < rowTokens; i++)
        {
            inputs[i] = i < tokens.Length ? tokens[i] : 0;
            targets[i] = i + 1 >= learnFrom && i + 1 < tokens.Length ? tokens[i + 1] : -1;
            segments[i] = i < tokens.Length ? 0 : 1;
        }
        return new TrainBatch(1, rowTokens, inputs, targets, segments);
    }
}
