using EgpuFleet.Kernels.Formats.Chat;
using Limits = EgpuFleet.Kernels.Formats.Limits;

namespace EgpuFleet.Formats.Tests.Chat;

/// <summary>Templates come with models from anywhere: none may hold a thread, the memory or the process.</summary>
public sealed class HostileTemplateTests
{
    private const string Long =
        "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(20) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";

    [Theory]
    [InlineData(
        "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}"
    )]
    [InlineData("{{ range(1000000000) | length }}")]
    [InlineData("{{ range(1, 2, 0.0000000001) | length }}")]
    [InlineData(
        "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}"
    )]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}")]
    [InlineData("{{ 'a' | indent(width=2000000000, first=true) }}")]
    [InlineData("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}")]
    [InlineData(Long + "{{ [ns.x, ns.x, ns.x, ns.x] | join(ns.x) | length }}")]
    [InlineData(Long + "{{ ns.x | replace('a', ns.x) | length }}")]
    public void What_takes_too_much_is_ended(string source)
    {
        var template = ChatTemplate.Parse(
            source,
            new TemplateTokens(),
            new TemplateBounds(Statements: 500_000, MemoryBytes: 64L << 20)
        );
        var fault = Assert.Throws<ChatTemplateException>(() => template.Render([], false));
        Assert.Equal(ChatTemplateFault.Limit, fault.Code);
    }

    [Fact]
    public void After_too_much_the_template_still_renders()
    {
        var template = ChatTemplate.Parse(
            "{% for i in range(messages | length) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}done",
            new TemplateTokens(),
            new TemplateBounds(Statements: 100_000)
        );
        Assert.Throws<ChatTemplateException>(() => template.Render([new("user", "x")], false));
        Assert.Equal("done", template.Render([], false));
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("not ", "")]
    [InlineData("-", "")]
    public void Deep_nesting_is_refused_before_the_stack_ends(string open, string close)
    {
        var nested = string.Concat(Enumerable.Repeat(open, 2000)) + "1" + string.Concat(Enumerable.Repeat(close, 2000));
        RefusedOnAnyStack($"{{{{ {nested} }}}}");
    }

    [Fact]
    public void Deep_blocks_are_refused_before_the_stack_ends() =>
        RefusedOnAnyStack(
            string.Concat(Enumerable.Repeat("{% if 1 %}", 1000)) + string.Concat(Enumerable.Repeat("{% endif %}", 1000))
        );

    [Fact]
    public void A_template_longer_than_any_is_refused()
    {
        var fault = Assert.Throws<ChatTemplateException>(() =>
            ChatTemplate.Parse(new string('x', Limits.ChatTemplateChars + 1), new TemplateTokens())
        );
        Assert.Equal(ChatTemplateFault.Limit, fault.Code);
    }

    [Theory]
    [InlineData("{{ messages.constructor }}{{ messages.__proto__ }}{{ messages['constructor'] }}")]
    [InlineData("{{ bos_token.constructor }}{{ module }}{{ globalThis }}{{ this }}{{ Refusal }}")]
    public void Nothing_of_the_interpreter_can_be_reached(string source) =>
        Assert.Equal("", ChatTemplate.Parse(source, new TemplateTokens()).Render([], false));

    /// <summary>Also on the smallest stack that a thread of ours may have.</summary>
    private static void RefusedOnAnyStack(string source)
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() => RenderOf(source)), maxStackSize: 512 << 10);
        thread.Start();
        thread.Join();
        var fault = Assert.IsType<ChatTemplateException>(thrown);
        Assert.True(fault.Code is ChatTemplateFault.Limit or ChatTemplateFault.Invalid);
    }

    private static string RenderOf(string source) =>
        ChatTemplate.Parse(source, new TemplateTokens(), new TemplateBounds(Statements: 2_000_000)).Render([], false);
}
