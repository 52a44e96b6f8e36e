using System.Globalization;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>The query of a list: <c>limit</c> (1 to 100), <c>after</c> (an id), <c>order</c> (asc, desc).</summary>
public sealed record PageQuery(int Limit, string? After, bool OldestFirst)
{
    public static PageQuery Read(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var limit = Silo.Limits.PageItemsDefault;
        if (request.Query["limit"].ToString() is { Length: > 0 } text)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || !InRange(limit))
                throw GatewayException.BadRequest("invalid_query", $"limit must be 1 to {Silo.Limits.PageItems}.");
        }
        var order = request.Query["order"].ToString();
        if (order is not ("" or "asc" or "desc"))
            throw GatewayException.BadRequest("invalid_query", "order must be asc or desc.");
        var after = request.Query["after"].ToString();
        return new PageQuery(limit, after.Length == 0 ? null : after, order == "asc");
    }

    private static bool InRange(int limit) => limit is >= 1 and <= Silo.Limits.PageItems;
}

/// <summary>Pages as the API answers them.</summary>
public static class Pages
{
    public static Page<T> Of<T>(IReadOnlyList<T> data, Func<T, string> id, bool hasMore = false)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(id);
        return data.Count == 0
            ? new Page<T>("list", data, null, null, false)
            : new Page<T>("list", data, id(data[0]), id(data[^1]), hasMore);
    }
}
