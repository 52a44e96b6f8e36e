using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Formats.Tests.Tokenizing;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Chat;

/// <summary>Against Jinja2 itself: what it makes of the templates of published models is in template-digests.lock.</summary>
public sealed class PublishedTemplateTests(LlamaVocabularies llama) : IClassFixture<LlamaVocabularies>
{
    private static readonly TemplateMessage[] Conversation =
    [
        new("user", " What is 2 + 2? \n"),
        new("assistant", "It is <b>4</b>, naïvely 𝟜."),
        new("user", "Thanks"),
    ];

    /// <summary>They use what the renderer lacks: whole numbers as keys, a filter of nothing.</summary>
    private static readonly string[] Unsupported =
    [
        "ByteDance-Seed-OSS.jinja",
        "meetkai-functionary-medium-v3.1.jinja",
    ];

    /// <summary>Two thirds of the templates; the longest ones alone would take as long as all other tests.</summary>
    private const int LongestChars = 7_800;

    [Fact]
    public void Published_templates_render_as_Jinja2_renders_them()
    {
        var differences = Digests()
            .Select(known => (known.File, Source: Read(known.File), known.Digest))
            .Where(known => known.Source.Length <= LongestChars && Digest(known.Source) != known.Digest)
            .Select(known => known.File)
            .ToArray();
        Assert.Equal(Unsupported, differences);
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(llama.Templates(), file));

    private static string Digest(string source)
    {
        try
        {
            var template = ChatTemplate.Parse(source, new TemplateTokens("<s>", "</s>"));
            var text = template.Render(Conversation, addGenerationPrompt: true);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        }
        catch (ChatTemplateException)
        {
            return "refused";
        }
    }

    private static IEnumerable<(string File, string Digest)> Digests() =>
        File.ReadLines(RepositoryPaths.At("tests", "Formats.Tests", "Chat", "template-digests.lock"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' '))
            .Select(words => (words[0], words[1]));
}
