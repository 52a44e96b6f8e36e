using System.Net;
using System.Text;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Requests that no engine could answer are refused in OpenAI's envelope, and name the field.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class OpenAiErrorTests(RunningSilo silo)
{
    private const string Chat = "/v1/chat/completions";
    private const string Text = "/v1/completions";
    private const string Tool = """ "tools":[{"type":"function","function":{"name":"f"}}] """;
    private const string BadTool = """ "tools":[{"type":"function","function":{"name":"f g"}}] """;
    private const string Twice =
        """ "tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}}] """;
    private const string NoText =
        """ "tools":[{"type":"function","function":{"name":"f","parameters":{"title":"\ud800"}}}] """;
    private const string Other = """ "tool_choice":{"type":"function","function":{"name":"g"}} """;
    private const string BadCall =
        """ "tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"[1]"}}] """;
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    [Theory]
    [InlineData(Chat, "{}", "messages")]
    [InlineData(Chat, """{"messages":[]}""", "messages")]
    [InlineData(Chat, """{"messages":"Hi"}""", "messages")]
    [InlineData(Chat, """{"messages":[{"role":"user"}]}""", "messages[0].content")]
    [InlineData(Chat, """{"messages":[{"role":"king","content":"Hi"}]}""", "messages[0].role")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"\ud800"}]}""", "messages[0].content")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"a\u0000b"}]}""", "messages[0].content")]
    [InlineData(Chat, $$"""{{{Messages}}}""", "model")]
    [InlineData(Chat, $$"""{"model":7,{{Messages}}}""", "model")]
    [InlineData(Chat, $$"""{"model":"m","n":129,{{Messages}}}""", "n")]
    [InlineData(Chat, $$"""{"model":"m","logprobs":3,{{Messages}}}""", "logprobs")]
    [InlineData(Chat, $$"""{"model":"m","logprobs":true,"top_logprobs":21,{{Messages}}}""", "top_logprobs")]
    [InlineData(Chat, $$"""{"model":"m","top_logprobs":3,{{Messages}}}""", "top_logprobs")]
    [InlineData(Chat, $$"""{"model":"m","logit_bias":[1],{{Messages}}}""", "logit_bias")]
    [InlineData(Chat, $$"""{"model":"m","logit_bias":{"1":101},{{Messages}}}""", "logit_bias")]
    [InlineData(Chat, $$"""{"model":"m","logit_bias":{"1":"5"},{{Messages}}}""", "logit_bias")]
    [InlineData(Chat, $$"""{"model":"m","logit_bias":{"-1":5},{{Messages}}}""", "logit_bias")]
    [InlineData(Chat, $$"""{"model":"m","logit_bias":{"the":5},{{Messages}}}""", "logit_bias")]
    [InlineData(Chat, $$"""{"model":"m","logit_bias":{"\ud800":5},{{Messages}}}""", "logit_bias")]
    [InlineData(Chat, $$"""{"model":"m","presence_penalty":2.5,{{Messages}}}""", "presence_penalty")]
    [InlineData(Text, """{"model":"m","prompt":"a","frequency_penalty":-3}""", "frequency_penalty")]
    [InlineData(Chat, $$"""{"model":"m","response_format":"json_object",{{Messages}}}""", "response_format")]
    [InlineData(Chat, $$"""{"model":"m","response_format":{},{{Messages}}}""", "response_format.type")]
    [InlineData(Chat, $$"""{"model":"m","response_format":{"type":"xml"},{{Messages}}}""", "response_format.type")]
    [InlineData(Chat, $$"""{"model":"m","response_format":{"type":"\ud800"},{{Messages}}}""", "response_format.type")]
    [InlineData(Chat, $$"""{"model":"m","response_format":{"\ud800":1},{{Messages}}}""", "response_format")]
    [InlineData(Chat, $$"""{"model":"m","tool_choice":"\ud800",{{Messages}}}""", "tool_choice")]
    [InlineData(Chat, $$"""{"model":"m","temperature":2.1,{{Messages}}}""", "temperature")]
    [InlineData(Chat, $$"""{"model":"m","temperature":"hot",{{Messages}}}""", "temperature")]
    [InlineData(Chat, $$"""{"model":"m","temperature":1e999,{{Messages}}}""", "temperature")]
    [InlineData(Chat, $$"""{"model":"m","top_p":-1,{{Messages}}}""", "top_p")]
    [InlineData(Chat, $$"""{"model":"m","max_tokens":0,{{Messages}}}""", "max_tokens")]
    [InlineData(Chat, $$"""{"model":"m","max_completion_tokens":1.5,{{Messages}}}""", "max_completion_tokens")]
    [InlineData(Chat, $$"""{"model":"m","stream":"yes",{{Messages}}}""", "stream")]
    [InlineData(Chat, $$"""{"model":"m","stream":true,"stream_options":7,{{Messages}}}""", "stream_options")]
    [InlineData(Chat, $$"""{"model":"m","stop":["a","b","c","d","e"],{{Messages}}}""", "stop")]
    [InlineData(Chat, $$"""{"model":"m","stop":[1],{{Messages}}}""", "stop")]
    [InlineData(Chat, $$"""{"model":"m","seed":"x",{{Messages}}}""", "seed")]
    [InlineData(Text, """{"model":"m"}""", "prompt")]
    [InlineData(Text, """{"model":"m","prompt":7}""", "prompt")]
    [InlineData(Text, """{"model":"m","prompt":[]}""", "prompt")]
    [InlineData(Text, """{"model":"m","prompt":["a",7]}""", "prompt")]
    [InlineData(Text, """{"model":"m","prompt":[1,-2]}""", "prompt")]
    [InlineData(Text, """{"model":"m","prompt":[1,"x"]}""", "prompt")]
    [InlineData(Text, """{"model":"m","prompt":"a","echo":true}""", "echo")]
    [InlineData(Text, """{"model":"m","prompt":"a","suffix":"b"}""", "suffix")]
    [InlineData(Text, """{"model":"m","prompt":"a","logprobs":6}""", "logprobs")]
    [InlineData(Text, """{"model":"m","prompt":"a","n":2,"best_of":3}""", "best_of")]
    [InlineData(Text, """{"model":"m","prompt":"a","best_of":"1"}""", "best_of")]
    public async Task A_field_at_fault_is_named(string path, string body, string param)
    {
        using var response = await PostAsync(path, body);

        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal("invalid_request_error", (string?)error["type"]);
        Assert.Equal(param, (string?)error["param"]);
    }

    [Theory]
    [InlineData(Chat, $$"""{"model":"m","tools":7,{{Messages}}}""", "tools")]
    [InlineData(Chat, $$"""{"model":"m","tools":[7],{{Messages}}}""", "tools[0]")]
    [InlineData(Chat, $$"""{"model":"m","tools":[{}],{{Messages}}}""", "tools[0].type")]
    [InlineData(Chat, $$"""{"model":"m","tools":[{"type":"web"}],{{Messages}}}""", "tools[0].type")]
    [InlineData(Chat, $$"""{"model":"m","tools":[{"type":"function"}],{{Messages}}}""", "tools[0].function")]
    [InlineData(Chat, $$"""{"model":"m",{{BadTool}},{{Messages}}}""", "tools[0].function.name")]
    [InlineData(Chat, $$"""{"model":"m",{{Twice}},{{Messages}}}""", "tools")]
    [InlineData(Chat, $$"""{"model":"m",{{NoText}},{{Messages}}}""", "tools")]
    [InlineData(Chat, $$"""{"model":"m",{{Tool}},"tool_choice":"maybe",{{Messages}}}""", "tool_choice")]
    [InlineData(Chat, $$"""{"model":"m",{{Tool}},"tool_choice":7,{{Messages}}}""", "tool_choice")]
    [InlineData(Chat, $$"""{"model":"m",{{Tool}},"tool_choice":{"type":"custom"},{{Messages}}}""", "tool_choice.type")]
    [InlineData(Chat, $$"""{"model":"m",{{Tool}},{{Other}},{{Messages}}}""", "tool_choice.function.name")]
    [InlineData(Chat, $$"""{"model":"m","tool_choice":"required",{{Messages}}}""", "tool_choice")]
    [InlineData(Chat, $$"""{"model":"m","parallel_tool_calls":1,{{Messages}}}""", "parallel_tool_calls")]
    [InlineData(Chat, $$"""{"model":"m","functions":[{}],{{Messages}}}""", "functions")]
    [InlineData(Chat, $$"""{"model":"m","reasoning_effort":"much",{{Messages}}}""", "reasoning_effort")]
    [InlineData(Chat, $$"""{"model":"m","reasoning_format":"much",{{Messages}}}""", "reasoning_format")]
    [InlineData(Chat, $$"""{"model":"m","chat_template_kwargs":7,{{Messages}}}""", "chat_template_kwargs")]
    [InlineData(Chat, """{"messages":[{"role":"tool","content":"x"}]}""", "messages[0].tool_call_id")]
    [InlineData(Chat, """{"messages":[{"role":"assistant","tool_calls":[]}]}""", "messages[0].content")]
    [InlineData(
        Chat,
        """{"messages":[{"role":"assistant","tool_calls":[{}]}]}""",
        "messages[0].tool_calls[0].function"
    )]
    [InlineData(
        Chat,
        $$"""{"messages":[{"role":"assistant",{{BadCall}}}]}""",
        "messages[0].tool_calls[0].function.arguments"
    )]
    [InlineData("/v1/embeddings", """{"model":"m"}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":""}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":["a",""]}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":{"a":1}}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":[[1],[-1]]}""", "input")]
    [InlineData("/v1/embeddings", """{"input":"a"}""", "model")]
    [InlineData("/v1/embeddings", """{"model":"m","input":"a","encoding_format":"hex"}""", "encoding_format")]
    [InlineData("/v1/embeddings", """{"model":"m","input":"a","dimensions":0}""", "dimensions")]
    public Task A_field_of_tools_or_embeddings_at_fault_is_named(string path, string body, string param) =>
        A_field_at_fault_is_named(path, body, param);

    [Theory]
    [InlineData("{}", "response_format.json_schema", "missing_required_parameter")]
    [InlineData("""{"json_schema":[]}""", "response_format.json_schema", "missing_required_parameter")]
    [InlineData("""{"json_schema":{}}""", "response_format.json_schema.name", "missing_required_parameter")]
    [InlineData("""{"json_schema":{"name":"a b"}}""", "response_format.json_schema.name", "invalid_value")]
    [InlineData("""{"json_schema":{"name":"a","strict":1}}""", "response_format.json_schema.strict", "invalid_value")]
    [InlineData("""{"json_schema":{"name":"a","schema":7}}""", "response_format.json_schema.schema", "schema_invalid")]
    [InlineData(
        """{"json_schema":{"name":"a","schema":{"type":"string","minLength":3,"maxLength":2}}}""",
        "response_format.json_schema.schema",
        "schema_impossible"
    )]
    [InlineData(
        """{"json_schema":{"name":"a","schema":{"type":"string","pattern":"(a)\\1"}}}""",
        "response_format.json_schema.schema",
        "schema_unsupported"
    )]
    [InlineData(
        """{"json_schema":{"name":"a","schema":{"type":"array","minItems":1000000000}}}""",
        "response_format.json_schema.schema",
        "schema_limit"
    )]
    public async Task A_schema_that_no_answer_can_be_held_to_is_refused(string format, string param, string code)
    {
        var whole = format.Insert(1, format == "{}" ? "\"type\":\"json_schema\"" : "\"type\":\"json_schema\",");
        using var response = await PostAsync(Chat, $$"""{"model":"m","response_format":{{whole}},{{Messages}}}""");

        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal((param, code), ((string?)error["param"], (string?)error["code"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"model\":\"\\ud800\",\"prompt\":\"a\"}")]
    [InlineData("{\"\\ud800\":1,\"prompt\":\"a\"}")]
    public async Task A_body_that_is_no_request_is_refused(string body)
    {
        foreach (var path in (string[])[Chat, Text])
        {
            using var response = await PostAsync(path, body);
            await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        }
    }

    [Theory]
    [InlineData(
        Chat,
        $$"""{"model":"no-such-model","n":1,"user":"u","unknown":{"deep":[1]},"tools":[],{{Messages}}}"""
    )]
    [InlineData(Chat, $$"""{"model":"no-such-model","response_format":{"type":"text"},{{Messages}}}""")]
    [InlineData(Chat, $$"""{"model":"no-such-model","response_format":{"type":"json_object"},{{Messages}}}""")]
    [InlineData(
        Chat,
        $$"""{"model":"no-such-model","response_format":{"type":"json_schema","json_schema":{"name":"a"} },{{Messages}}}"""
    )]
    [InlineData(
        Text,
        """{"model":"no-such-model","prompt":["a"],"logprobs":5,"n":2,"best_of":2,"service_tier":"flex"}"""
    )]
    [InlineData(Text, """{"model":"no-such-model","prompt":[[1,2],[3]]}""")]
    [InlineData(Text, """{"model":"no-such-model","prompt":""}""")]
    [InlineData(Text, """{"model":"../etc/passwd","prompt":""}""")]
    public async Task An_unknown_model_is_not_found_after_all_else_was_right(string path, string body)
    {
        using var response = await PostAsync(path, body);

        var error = await response.EnvelopeAsync(HttpStatusCode.NotFound);
        Assert.Equal("model_not_found", (string?)error["code"]);
        Assert.Equal("model", (string?)error["param"]);
    }

    [Fact]
    public async Task A_body_that_is_not_json_is_refused()
    {
        using var response = await silo.Http.PostAsync(
            Chat,
            new StringContent("{}", Encoding.UTF8, "text/plain"),
            TestContext.Current.CancellationToken
        );

        await response.EnvelopeAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_body_beyond_its_limit_is_too_large()
    {
        var body = $$"""{"model":"m","prompt":"{{new string('x', (int)Limits.CompletionBodyBytes)}}"}""";

        using var response = await PostAsync(Text, body);

        await response.EnvelopeAsync(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task The_models_are_listed_as_OpenAI_lists_them()
    {
        var text = await silo.Http.GetStringAsync("/v1/models", TestContext.Current.CancellationToken);

        var list = System.Text.Json.Nodes.JsonNode.Parse(text)!;
        Assert.Equal("list", (string?)list["object"]);
        var model = list["data"]!.AsArray().Single(found => (string?)found!["id"] == RunningSilo.Model)!;
        Assert.Equal(("model", "egpufleet"), ((string?)model["object"], (string?)model["owned_by"]));
        Assert.True((long?)model["created"] > 0);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body) =>
        silo.Http.PostAsync(
            path,
            new StringContent(body, Encoding.UTF8, "application/json"),
            TestContext.Current.CancellationToken
        );
}
