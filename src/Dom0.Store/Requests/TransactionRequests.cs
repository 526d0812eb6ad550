// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using Dom0.Store.Quotas;
using Dom0.Store.Transactions;

namespace Dom0.Store.Requests;

/// <summary>Beginning and end of transactions.</summary>
public static class TransactionRequests
{
    /// <summary><c>XS_TRANSACTION_START</c>: answers the number.</summary>
    public static Answer Start(in Request request)
    {
        if (request.Header.Transaction != 0)
        {
            return StoreErrno.Busy;
        }

        StoreState state = request.State;
        if (!request.Identity.IsPrivileged
            && request.Connection.Transactions.Count >= state.Quotas[QuotaKind.Transactions])
        {
            return state.Refuse(request.Identity, QuotaKind.Transactions, "the beginning of a transaction");
        }

        uint number = request.Connection.NextTransaction();
        state.OpenTransaction(request.Connection, number, mustRetry: false);
        return Answer.Of(string.Create(CultureInfo.InvariantCulture, $"{number}\0"));
    }

    /// <summary><c>XS_TRANSACTION_END</c>: <c>T</c> wants it done, <c>F</c> forgotten.</summary>
    public static Answer End(in Request request)
    {
        bool isWanted = request.Body.SequenceEqual("T\0"u8);
        if (!isWanted && !request.Body.SequenceEqual("F\0"u8))
        {
            return StoreErrno.Invalid;
        }

        if (request.View is not Transaction transaction)
        {
            return StoreErrno.NoEntry;
        }

        request.State.CloseTransaction(request.Connection, transaction);
        return isWanted ? transaction.Commit() : StoreErrno.Ok;
    }
}
