using System.Text;
using System.Text.Json;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>Training data of the shared text: pieces of some hundred characters, one a line.</summary>
internal static class Shakespeare
{
    private const int UsualPiece = 220;

    private static string PathOfText =>
        System.IO.Path.Combine(RepositoryPaths.Shared ?? "", "data", "tinyshakespeare.txt");

    public static void SkipWithout() =>
        Assert.SkipUnless(File.Exists(PathOfText), "../shared/data/tinyshakespeare.txt is not beside the checkout.");

    /// <summary>Lines of training data.</summary>
    /// <param name="skip">Pieces from the text's start that are left out.</param>
    /// <param name="characters">Of a piece.</param>
    public static byte[] Jsonl(int skip, int count, int characters = UsualPiece)
    {
        var text = File.ReadAllText(PathOfText);
        var lines = Enumerable
            .Range(skip, count)
            .Select(piece => text.Substring(piece * characters, characters))
            .Select(piece => JsonSerializer.Serialize(new { text = piece }));
        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }
}
