using System.Text;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Training;

public sealed class TrainingDatasetTests
{
    private const int RowTokens = 64;

    private static readonly GgufTokenizer Tokenizer = Sample(reader => GgufTokenizer.From(reader));

    [Fact]
    public async Task Of_a_conversation_the_answers_are_trained_with_the_token_that_ends_them()
    {
        var (dataset, findings) = await ReadAsync(
            """
            {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},{"role":"user","content":"Bye"},{"role":"assistant","content":"See you."}]}
            """
        );
        Assert.Equal(0, findings.Errors);
        var preview = Assert.Single(dataset!.Preview);
        Assert.Equal(
            [
                new PreviewPart("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", false),
                new PreviewPart("Hello.<|im_end|>", true),
                new PreviewPart("\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n", false),
                new PreviewPart("See you.<|im_end|>", true),
                new PreviewPart("\n", false),
            ],
            WithoutBos(preview.Parts)
        );
        Assert.Equal(preview.TrainedTokens, dataset.Counts.TrainedTokens);
        Assert.Equal((1, 1), (dataset.Counts.Samples, dataset.Counts.Rows));
    }

    [Fact]
    public async Task An_answer_of_weight_0_is_read_and_not_trained()
    {
        var (dataset, _) = await ReadAsync(
            """
            {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"No","weight":0},{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes"}]}
            """
        );
        var trained = dataset!.Preview[0].Parts.Where(part => part.IsTrained).Select(part => part.Text);
        Assert.Equal(["Yes<|im_end|>"], trained);
    }

    [Fact]
    public async Task What_comes_before_an_answer_is_what_the_model_is_asked_with()
    {
        var (dataset, _) = await ReadAsync(
            """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":" there"}]}"""
        );
        var (tokens, mask) = dataset!.Samples[0];
        var asked = Tokenizer.Encode("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", parseSpecial: true);
        Assert.Equal(asked, tokens.Take(Array.IndexOf(mask, (byte)1)));
    }

    [Fact]
    public async Task Of_a_completion_the_completion_is_trained_and_of_a_text_all()
    {
        var end = Tokenizer.Eos is { } eos ? Tokenizer.NameOf(eos) : "";
        var (completions, _) = await ReadAsync("""{"prompt":"The sky is","completion":" blue"}""");
        Assert.Equal(
            [new PreviewPart("The sky is", false), new PreviewPart(" blue" + end, true)],
            WithoutBos(completions!.Preview[0].Parts)
        );
        var (texts, _) = await ReadAsync(
            "{\"text\":\"A\"}\n{\"text\":\"<|im_end|>\"}\n{\"text\":\"C\"}\n{\"text\":\"D\"}"
        );
        Assert.Equal(4, texts!.Counts.Samples);
        Assert.Equal([1, 2, 3], texts.Preview.Select(preview => preview.Line));
        // A control token's name in plain text is not that token.
        Assert.DoesNotContain(
            Tokenizer.Encode("<|im_end|>", parseSpecial: true, addSpecial: false)[0],
            texts.Samples[1].Tokens[..^1]
        );
    }

    [Fact]
    public async Task A_sample_longer_than_a_row_is_refused_with_its_line_and_size()
    {
        var text = string.Join(' ', Enumerable.Repeat("word", 200));
        var (dataset, findings) = await ReadAsync($"{{\"text\":\"fine\"}}\n{{\"text\":\"{text}\"}}");
        Assert.Null(dataset);
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((2, TrainingFault.SampleTooLong), (finding.Line, finding.Code));
        Assert.Contains($"{RowTokens + 1} fit", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_that_the_template_refuses_is_a_finding()
    {
        const string alternating =
            "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
            + "{{ raise_exception('Roles must alternate') }}{% endif %}{{ m.content }}{% endfor %}";
        var (dataset, findings) = await ReadAsync(
            """{"messages":[{"role":"assistant","content":"Hello"}]}""",
            ChatTemplate.Parse(alternating, new TemplateTokens())
        );
        Assert.Null(dataset);
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((1, TrainingFault.Template), (finding.Line, finding.Code));
        Assert.Contains("Roles must alternate", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_a_template_takes_no_conversations()
    {
        var findings = new TrainingFindings();
        var encoder = new SampleEncoder(Tokenizer, null, RowTokens);
        Assert.Null(encoder.Encode(new ChatRecord(7, [new("assistant", "x", true)]), findings));
        Assert.Equal((7, TrainingFault.Template), (findings.Listed[0].Line, findings.Listed[0].Code));
        await Task.CompletedTask;
    }

    private static IEnumerable<PreviewPart> WithoutBos(IReadOnlyList<PreviewPart> parts)
    {
        var bos = Tokenizer.Encode("", parseSpecial: false) is [var first, ..] ? Tokenizer.NameOf(first) : "";
        Assert.StartsWith(bos, parts[0].Text, StringComparison.Ordinal);
        return [parts[0] with { Text = parts[0].Text[bos.Length..] }, .. parts.Skip(1)];
    }

    private static async Task<(TrainingDataset? Dataset, TrainingFindings Findings)> ReadAsync(
        string text,
        ChatTemplate? template = null
    )
    {
        var findings = new TrainingFindings();
        var encoder = new SampleEncoder(
            Tokenizer,
            template ?? Sample(reader => ChatTemplate.Of(reader.Metadata, Tokenizer)),
            RowTokens
        );
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var cancellation = TestContext.Current.CancellationToken;
        return (await TrainingDataset.ReadAsync(input, encoder, RowTokens, findings, cancellation), findings);
    }

    private static T Sample<T>(Func<GgufReader, T> read)
    {
        using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        return read(GgufReader.Open(file));
    }
}
