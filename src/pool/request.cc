#include "pool/request.h"

namespace tidegate::pool {

// A session and its favourite know each other; whoever goes first says so.
Request::~Request() {
    if (favourite_ != nullptr) favourite_->admirer_ = nullptr;
}

Connection::~Connection() {
    if (admirer_ != nullptr) admirer_->favourite_ = nullptr;
}

std::string_view name_of(CloseReason reason) {
    switch (reason) {
        case CloseReason::retired_idle:
            return "retired_idle";
        case CloseReason::retired_age:
            return "retired_age";
        case CloseReason::retired_generation:
            return "retired_generation";
        case CloseReason::made_room:
            return "made_room";
        case CloseReason::over_limit:
            return "over_limit";
        case CloseReason::server_closed:
            return "server_closed";
        case CloseReason::server_lost:
            return "server_lost";
        case CloseReason::unclean:
            return "unclean";
        case CloseReason::client_gone:
            return "client_gone";
        case CloseReason::draining:
            return "draining";
        case CloseReason::seat_left:
            return "seat_left";
    }
    return "unclean";
}

}  // namespace tidegate::pool
