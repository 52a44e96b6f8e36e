using System.Text;
using CsCheck;
using EgpuFleet.Kernels.Text;

namespace EgpuFleet.Kernels.Tests.Text;

public sealed class CompletionTextTests
{
    private static readonly Gen<string> Texts = Pick("a", "b", "ab", "é", "\n", "😀", "かな", "aba")
        .Array[0, 40]
        .Select(string.Concat);

    [Fact]
    public void Text_is_the_same_whatever_tokens_its_bytes_are_cut_into() =>
        Gen.Select(Texts, Gen.Int[1, 5])
            .Sample((text, pieceBytes) => Assert.Equal(text, Run(text, pieceBytes, []).All));

    [Fact]
    public void Text_ends_before_the_first_stop_string_and_never_shows_a_part_of_it() =>
        Gen.Select(Texts, Gen.Int[1, 5], Pick("ab", "aa", "b\n", "bab", "😀a", "な").Array[1, 3])
            .Sample(
                (text, pieceBytes, stops) =>
                {
                    var first = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0);
                    var expected = first.Any() ? text[..first.Min()] : text;
                    var (all, pieces) = Run(text, pieceBytes, stops);
                    Assert.Equal(expected, all);
                    Assert.All(pieces, piece => Assert.True(IsWhole(piece)));
                }
            );

    [Fact]
    public void An_incomplete_character_at_the_end_is_a_replacement_character()
    {
        var completion = new CompletionText([]);
        Assert.Equal("a", completion.Append([(byte)'a', 0xF0, 0x9F]));
        Assert.Equal("\uFFFD", completion.Finish());
    }

    private static (string All, List<string> Pieces) Run(string text, int pieceBytes, string[] stops)
    {
        var completion = new CompletionText(stops);
        var pieces = new List<string>();
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(pieceBytes))
        {
            pieces.Add(completion.Append(piece));
            if (completion.Stopped)
                return (string.Concat(pieces), pieces);
        }
        pieces.Add(completion.Finish());
        return (string.Concat(pieces), pieces);
    }

    private static Gen<string> Pick(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static bool IsWhole(string piece) =>
        string.Equals(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece)), StringComparison.Ordinal);
}
