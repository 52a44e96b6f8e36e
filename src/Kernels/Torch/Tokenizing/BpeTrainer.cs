using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Kernels.Torch.Tokenizing;

/// <summary>Learns merges: again and again the pair that occurs most often; the smaller pair wins a tie.</summary>
public static class BpeTrainer
{
    /// <summary>Learns a vocabulary of <paramref name="size"/> tokens, bytes and special tokens included.</summary>
    public static BpeVocabulary Train(IEnumerable<string> texts, int size)
    {
        var words = CountPieces(texts);
        var wanted = size - 256 - SpecialTokens.All.Count;
        var merges = new List<(string Left, string Right)>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        while (merges.Count < wanted)
        {
            var pairs = CountPairs(words);
            var best = pairs
                .Where(pair => !taken.Contains(pair.Key.Left + pair.Key.Right))
                .OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.Left, StringComparer.Ordinal)
                .ThenBy(pair => pair.Key.Right, StringComparer.Ordinal)
                .Select(pair => ((string Left, string Right)?)pair.Key)
                .FirstOrDefault();
            if (best is not { } merge)
                throw new ArgumentException($"The text holds only {merges.Count} of {wanted} merges.", nameof(texts));
            merges.Add(merge);
            taken.Add(merge.Left + merge.Right);
            foreach (var (parts, _) in words)
                Apply(parts, merge);
        }
        return new BpeVocabulary(merges);
    }

    private static List<(List<string> Parts, long Count)> CountPieces(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var piece in texts.SelectMany(PreTokenizer.Split))
            counts[piece] = counts.GetValueOrDefault(piece) + 1;
        return
        [
            .. counts
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair =>
                    (ByteAlphabet.Encode(pair.Key).Select(letter => letter.ToString()).ToList(), pair.Value)
                ),
        ];
    }

    private static Dictionary<(string Left, string Right), long> CountPairs(
        List<(List<string> Parts, long Count)> words
    )
    {
        var pairs = new Dictionary<(string Left, string Right), long>();
        foreach (var (parts, count) in words)
        {
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                var pair = (parts[i], parts[i + 1]);
                pairs[pair] = pairs.GetValueOrDefault(pair) + count;
            }
        }
        return pairs;
    }

    private static void Apply(List<string> parts, (string Left, string Right) merge)
    {
        for (var i = 0; i + 1 < parts.Count; i++)
        {
            if (parts[i] == merge.Left && parts[i + 1] == merge.Right)
            {
                parts[i] += parts[i + 1];
                parts.RemoveAt(i + 1);
            }
        }
    }
}
