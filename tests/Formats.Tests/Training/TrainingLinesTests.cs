using System.Text;
using EgpuFleet.Kernels.Formats.Training;
using Limits = EgpuFleet.Kernels.Formats.Limits;

namespace EgpuFleet.Formats.Tests.Training;

public sealed class TrainingLinesTests
{
    private const string Chat =
        """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}""";

    [Fact]
    public async Task Each_shape_is_read_with_its_line_number()
    {
        var (chats, chatFindings) = await ReadAsync(
            """

            {"messages":[{"role":"system","content":"Be kind"},{"role":"user","content":"Hi"},
            """.Trim()
                + """{"role":"assistant","content":"No","weight":0},{"role":"assistant","content":"Yes","weight":1}]}"""
        );
        Assert.Equal(0, chatFindings.Errors + chatFindings.Warnings);
        var chat = Assert.IsType<ChatRecord>(Assert.Single(chats));
        Assert.Equal(
            [
                new TrainingMessage("system", "Be kind", IsTrained: false),
                new TrainingMessage("user", "Hi", IsTrained: false),
                new TrainingMessage("assistant", "No", IsTrained: false),
                new TrainingMessage("assistant", "Yes", IsTrained: true),
            ],
            chat.Messages
        );
        var (texts, _) = await ReadAsync("{\"text\":\"a\"}\n\n{\"text\":\"ü\"}");
        Assert.Equal([new TextRecord(1, "a"), new TextRecord(3, "ü")], texts);
        var (completions, _) = await ReadAsync("""{"prompt":"","completion":"b"}""");
        Assert.Equal([new CompletionRecord(1, "", "b")], completions);
    }

    [Fact]
    public async Task A_byte_order_mark_and_line_ends_of_windows_are_no_fault()
    {
        var (records, findings) = await ReadAsync("\uFEFF{\"text\":\"a\"}\r\n{\"text\":\"b\"}\r\n\r\n");
        Assert.Equal(0, findings.Errors + findings.Warnings);
        Assert.Equal([new TextRecord(1, "a"), new TextRecord(2, "b")], records);
    }

    [Theory]
    [InlineData("""{"messages":[]}""", TrainingFault.Value)]
    [InlineData("""{"messages":{}}""", TrainingFault.Value)]
    [InlineData("""{"messages":["hello"]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"user"}]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"robot","content":"x"}]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"user","content":"x","weight":1}]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","weight":2}]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","weight":0.5}]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"assistant","content":[{"type":"text"}]}]}""", TrainingFault.Value)]
    [InlineData("""{"messages":[{"role":"assistant","content":""}]}""", TrainingFault.EmptyText)]
    [InlineData("""{"messages":[{"role":"user","content":"x"}]}""", TrainingFault.NothingToTrain)]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","weight":0}]}""", TrainingFault.NothingToTrain)]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","tool_calls":[]}]}""", TrainingFault.Unsupported)]
    [InlineData("""{"messages":[{"role":"assistant","content":"x"}],"tools":[]}""", TrainingFault.Unsupported)]
    [InlineData("""{"text":""}""", TrainingFault.EmptyText)]
    [InlineData("""{"text":7}""", TrainingFault.Value)]
    [InlineData("""{"text":"\u0000"}""", TrainingFault.Value)]
    [InlineData("""{"text":"\ud800"}""", TrainingFault.Encoding)]
    [InlineData("""{"\ud800":1}""", TrainingFault.Encoding)]
    [InlineData("""{"prompt":"x"}""", TrainingFault.Value)]
    [InlineData("""{"prompt":"x","completion":""}""", TrainingFault.EmptyText)]
    [InlineData("""{"text":"x","prompt":"y"}""", TrainingFault.Shape)]
    [InlineData("{}", TrainingFault.Shape)]
    [InlineData("""{"input":{},"preferred_output":[]}""", TrainingFault.Shape)]
    [InlineData("[1]", TrainingFault.Json)]
    [InlineData("""{"text":"x"} {"text":"y"}""", TrainingFault.Json)]
    [InlineData("""{"text":"x","text":"y"}""", TrainingFault.Json)]
    [InlineData("""{"text":"x""", TrainingFault.Json)]
    [InlineData("null", TrainingFault.Json)]
    public async Task A_wrong_line_is_one_finding_with_its_number_and_advice(string line, string code)
    {
        var (records, findings) = await ReadAsync(
            line.Contains("messages", StringComparison.Ordinal) ? $"{Chat}\n{line}" : $"\n{line}"
        );
        Assert.DoesNotContain(records, record => record.Line == 2);
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((2, code, true), (finding.Line, finding.Code, finding.IsError));
        Assert.NotEmpty(finding.Suggestion);
    }

    [Fact]
    public async Task Nested_too_deeply_is_refused()
    {
        var (_, findings) = await ReadAsync("{\"text\":" + new string('[', 5000) + new string(']', 5000) + "}");
        Assert.Equal(TrainingFault.Json, Assert.Single(findings.Listed).Code);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_refused()
    {
        var findings = new TrainingFindings();
        using var input = new MemoryStream([.. "{\"text\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        Assert.Empty(await ReadAllAsync(input, findings));
        Assert.Equal(TrainingFault.Encoding, Assert.Single(findings.Listed).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n\t\n")]
    [InlineData("\uFEFF")]
    public async Task A_file_without_samples_is_refused(string text)
    {
        var (_, findings) = await ReadAsync(text);
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((0, TrainingFault.Empty), (finding.Line, finding.Code));
    }

    [Fact]
    public async Task One_line_that_is_too_long_does_not_hide_the_next()
    {
        var (records, findings) = await ReadAsync(
            $"{{\"text\":\"{new string('x', Limits.TrainingLineBytes)}\"}}\n{{\"text\":\"b\"}}"
        );
        Assert.Equal([new TextRecord(2, "b")], records);
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((1, TrainingFault.LineTooLong), (finding.Line, finding.Code));
    }

    [Fact]
    public async Task Lines_of_different_shapes_are_refused()
    {
        var (records, findings) = await ReadAsync($"{Chat}\n{{\"text\":\"b\"}}\n{Chat}");
        Assert.Equal([1, 3], records.Select(record => record.Line));
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((2, TrainingFault.MixedShapes), (finding.Line, finding.Code));
    }

    [Fact]
    public async Task An_unknown_key_is_warned_of_once()
    {
        var (records, findings) = await ReadAsync("{\"text\":\"a\",\"id\":1}\n{\"text\":\"b\",\"id\":2}");
        Assert.Equal(2, records.Count);
        Assert.Equal((0, 1), (findings.Errors, findings.Warnings));
        var finding = Assert.Single(findings.Listed);
        Assert.Equal((1, TrainingFault.UnknownKey, false), (finding.Line, finding.Code, finding.IsError));
        Assert.Contains("\"id\"", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_the_last_answer_is_warned_of()
    {
        var (records, findings) = await ReadAsync(
            """{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"Hi"}]}"""
        );
        Assert.Single(records);
        Assert.Equal(TrainingFault.TrailingMessages, Assert.Single(findings.Listed).Code);
    }

    [Fact]
    public async Task A_hopeless_file_is_not_read_to_its_end()
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("x\n", 200_000))));
        var findings = new TrainingFindings(listed: 3);
        Assert.Empty(await ReadAllAsync(input, findings));
        Assert.Equal((Limits.TrainingErrorsRead, true), (findings.Errors, findings.IsHopeless));
        Assert.Equal([1, 2, 3], findings.Listed.Select(finding => finding.Line));
        Assert.True(input.Position < input.Length);
    }

    private static async Task<(List<TrainingRecord> Records, TrainingFindings Findings)> ReadAsync(string text)
    {
        var findings = new TrainingFindings();
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return (await ReadAllAsync(input, findings), findings);
    }

    private static async Task<List<TrainingRecord>> ReadAllAsync(Stream input, TrainingFindings findings)
    {
        var cancellation = TestContext.Current.CancellationToken;
        return await TrainingLines.ReadAsync(input, findings, cancellation).ToListAsync(cancellation);
    }
}
