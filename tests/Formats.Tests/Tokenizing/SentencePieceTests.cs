using System.Text;
using CsCheck;

namespace EgpuFleet.Formats.Tests.Tokenizing;

public sealed class SentencePieceTests
{
    private const int FirstByte = 3;
    private const int FirstPiece = FirstByte + 256;

    private static readonly string[] Letters = ["▁", "a", "b", "c", "é", "🦊"];

    /// <summary>Texts of a few letters, of which some pairs have no way between; few scores, so that many are equal.</summary>
    private static readonly Gen<(string Text, float Score)[]> Pieces = Gen.Select(
            Gen.OneOf(Letters).Array[1, 4].Select(string.Concat),
            Gen.OneOf(-3f, -2f, -1f, -0f, 0f, 1f)
        )
        .Array[0, 25]
        .Select(pieces => pieces.DistinctBy(piece => piece.Item1).ToArray());

    private static readonly Gen<string> Words = Gen.OneOf(" ", "a", "b", "c", "é", "🦊", "x")
        .Array[0, 20]
        .Select(string.Concat);

    [Fact]
    public void The_best_score_merges_first_and_the_leftmost_of_equals() =>
        Gen.Select(Pieces, Words)
            .Sample(
                (pieces, text) =>
                {
                    var tokenizer = SyntheticVocabulary.SentencePiece(pieces);
                    Assert.Equal(
                        MergeOneByOne(text, pieces),
                        tokenizer.Encode(text, parseSpecial: false, addSpecial: false)
                    );
                },
                iter: 1_000
            );

    [Fact]
    public void Text_begins_with_bos_and_a_space_that_is_not_part_of_it()
    {
        var tokenizer = SyntheticVocabulary.SentencePiece([("▁a", 0f), ("▁", -1f), ("a", -1f)]);
        Assert.Equal([1, FirstPiece], tokenizer.Encode("a", parseSpecial: false));
        Assert.Equal([1], tokenizer.Encode("", parseSpecial: false));
        Assert.Equal(" a"u8, tokenizer.Piece(FirstPiece, beginsText: false));
        Assert.Equal("a"u8, tokenizer.Piece(FirstPiece, beginsText: true));
        Assert.Equal([1, FirstPiece, 2, FirstPiece + 1, FirstPiece], tokenizer.Encode("a</s> a", parseSpecial: true));
        Assert.Empty(tokenizer.Piece(1, beginsText: false));
        Assert.True(tokenizer.EndsText(2));
    }

    [Fact]
    public void A_character_without_a_token_is_its_bytes()
    {
        var tokenizer = SyntheticVocabulary.SentencePiece(
            [],
            more: writer => writer.Add("tokenizer.ggml.add_space_prefix", false)
        );
        var bytes = Encoding.UTF8.GetBytes("é🦊\n").Select(value => FirstByte + value);
        Assert.Equal([1, .. bytes], tokenizer.Encode("é🦊\n", parseSpecial: false));
        Assert.Equal([0xC3], tokenizer.Piece(FirstByte + 0xC3, beginsText: false));
    }

    [Fact]
    public void White_space_after_special_tokens_is_dropped_in_models_named_phi_3()
    {
        (string, float)[] pieces = [("▁", 0f), ("a", 0f)];
        (string, int)[] special = [("<|end|>", SyntheticVocabulary.Control)];
        var phi = SyntheticVocabulary.SentencePiece(
            pieces,
            special,
            writer => writer.Add("general.name", "Phi-3 mini")
        );
        var other = SyntheticVocabulary.SentencePiece(pieces, special);
        var (space, letter, end) = (FirstPiece, FirstPiece + 1, FirstPiece + 2);
        Assert.Equal([1, space, letter, end, space, letter], phi.Encode("a<|end|> \n a", parseSpecial: true));
        Assert.Equal(
            [1, space, letter, end, space, space, FirstByte + '\n', space, letter],
            other.Encode("a<|end|> \n a", parseSpecial: true)
        );
        Assert.Equal([1, space, letter, 2, space, space, letter], other.Encode("a</s> a", parseSpecial: true));
    }

    private static List<int> MergeOneByOne(string text, (string Text, float Score)[] pieces)
    {
        if (text.Length == 0)
            return [];
        var scores = pieces.ToDictionary(piece => piece.Text, piece => piece.Score);
        var parts = (" " + text).Replace(' ', '▁').EnumerateRunes().Select(rune => rune.ToString()).ToList();
        while (true)
        {
            var best = Enumerable
                .Range(0, parts.Count - 1)
                .Where(at => scores.ContainsKey(parts[at] + parts[at + 1]))
                .OrderByDescending(at => scores[parts[at] + parts[at + 1]])
                .Select(at => (int?)at)
                .FirstOrDefault();
            if (best is not { } left)
                break;
            parts[left] += parts[left + 1];
            parts.RemoveAt(left + 1);
        }
        return
        [
            .. parts.SelectMany(part =>
                scores.ContainsKey(part)
                    ? [FirstPiece + Array.FindIndex(pieces, piece => piece.Text == part)]
                    : Encoding.UTF8.GetBytes(part).Select(value => FirstByte + value)
            ),
        ];
    }
}
