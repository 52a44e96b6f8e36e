namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>Prompts of random bytes, the same in every run.</summary>
internal static class Prompts
{
    public static IEnumerable<int[]> Of(params int[] lengths)
    {
        var random = new Random(7);
        return
        [
            .. lengths.Select(length =>
                Enumerable.Range(0, length).Select(_ => random.Next(ByteVocabulary.EndOfText)).ToArray()
            ),
        ];
    }
}
