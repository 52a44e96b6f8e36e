using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Chat;

public sealed class ChatTemplateTests
{
    private static readonly TemplateMessage[] Conversation =
    [
        new("system", "Be brief."),
        new("user", " Hi {{ 7 }} "),
        new("assistant", "Hello"),
        new("user", "Bye"),
    ];

    [Fact]
    public void The_sample_model_gets_the_conversation_it_was_trained_on()
    {
        using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        var reader = GgufReader.Open(file);
        var template = ChatTemplate.Of(reader.Metadata, GgufTokenizer.From(reader))!;
        Assert.Equal(
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi {{ 7 }} <|im_end|>\n"
                + "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
            template.Render(Conversation, addGenerationPrompt: true)
        );
        Assert.EndsWith("Bye<|im_end|>\n", template.Render(Conversation, false), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_a_template_has_none()
    {
        var shared = RepositoryPaths.Shared;
        Assert.SkipWhen(shared is null, "There is no ../shared with models.");
        using var file = File.OpenRead(Path.Combine(shared!, "models", "stories260K", "stories260K.gguf"));
        var reader = GgufReader.Open(file);
        Assert.Null(ChatTemplate.Of(reader.Metadata, GgufTokenizer.From(reader)));
    }

    [Fact]
    public void Llama_3_gets_its_headers_and_its_first_token()
    {
        const string llama3 =
            "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' "
            + "+ message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}"
            + "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
        var template = ChatTemplate.Parse(llama3, new TemplateTokens("<|begin_of_text|>", "<|eot_id|>"));
        Assert.Equal(
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                + "<|start_header_id|>user<|end_header_id|>\n\nHi {{ 7 }}<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
                + "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\n",
            template.Render(Conversation, addGenerationPrompt: true)
        );
    }

    [Fact]
    public void What_the_template_refuses_is_a_refusal_with_its_words()
    {
        var template = ChatTemplate.Parse(
            "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}ok",
            new TemplateTokens()
        );
        Assert.Equal("ok", template.Render(Conversation[1..], false));
        var refusal = Assert.Throws<ChatTemplateException>(() => template.Render(Conversation, false));
        Assert.Equal(ChatTemplateFault.Refused, refusal.Code);
        Assert.Contains("System role not supported", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("ok", template.Render(Conversation[1..], false));
    }

    [Fact]
    public void The_clock_stands_still()
    {
        var template = ChatTemplate.Parse("{{ strftime_now('%d %b %Y, %A %H:%M %% %q') }}", new TemplateTokens());
        Assert.Equal("26 Jul 2024, Friday 12:00 % %q", template.Render([], false));
    }

    [Theory]
    [InlineData("{% for x in %}")]
    [InlineData("{% if %}")]
    [InlineData("{{ 'abc }}")]
    [InlineData("{% unknown %}")]
    [InlineData("{%")]
    public void What_is_no_template_is_refused_when_it_is_read(string source)
    {
        var fault = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source, new TemplateTokens()));
        Assert.Equal(ChatTemplateFault.Invalid, fault.Code);
    }

    [Theory]
    [InlineData("{{ nothing(1) }}")]
    [InlineData("{{ messages[0].content.nothing() }}")]
    [InlineData("{{ 1 + 'a' | nothing }}")]
    [InlineData("{{ strftime_now(7) }}")]
    public void What_fails_while_it_renders_is_a_typed_error(string source)
    {
        var template = ChatTemplate.Parse(source, new TemplateTokens());
        var fault = Assert.Throws<ChatTemplateException>(() => template.Render(Conversation, false));
        Assert.Equal(ChatTemplateFault.Invalid, fault.Code);
    }

    [Fact]
    public async Task Many_threads_may_render_at_once()
    {
        var template = ChatTemplate.Parse("{% for m in messages %}{{ m.content }};{% endfor %}", new TemplateTokens());
        var texts = await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(i => Task.Run(() => template.Render([new("user", $"{i}"), new("user", "x")], false)))
        );
        Assert.Equal(Enumerable.Range(0, 64).Select(i => $"{i};x;"), texts);
    }
}
